import { sql, type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, type RawBuilder } from 'kysely'

/** The engines CI runs; a dialect that CI does not run does not exist. */
export type Engine = 'sqlite' | 'postgres'

/** Portable column types: text and one integer, flags 0/1, times as epoch ms, JSON as text. */
export interface Columns {
  readonly int: RawBuilder<unknown>
  /** A row's own number, given by the database. */
  id(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder
}

/** Column types of one engine. */
export function columnsOf(engine: Engine): Columns {
  if (engine === 'sqlite') {
    return { int: sql`integer`, id: (column) => column.primaryKey().autoIncrement() }
  }
  return { int: sql`bigint`, id: (column) => column.primaryKey().generatedByDefaultAsIdentity() }
}

/** `create table` with the engine's own ending: STRICT keeps SQLite from storing text in an integer column (W73). */
export function table(db: Kysely<never>, engine: Engine, name: string): CreateTableBuilder<string> {
  const builder = db.schema.createTable(name)
  return engine === 'sqlite' ? builder.modifyEnd(sql`strict`) : builder
}
