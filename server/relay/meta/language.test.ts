// long file: one table, the examples and errors of the language
import { expect, test } from 'bun:test'
import { format } from './format.ts'
import { analyse, describe, type Analysis } from './language.ts'
import { MAX_CALLS_IN_BLOCK, MAX_DEPTH, MAX_NODES, MAX_SOURCE_CHARS } from './limits.ts'
import type { Fact, Variable } from './variables.ts'

const MODELS = ['a', 'b', 'c', 'small', 'gpt-large']
const names = {
  self: 'me',
  isModel: (name: string) => MODELS.includes(name),
  isMetaModel: (name: string) => name === 'other-meta',
  models: () => MODELS,
}
const run = (source: string): Analysis => analyse(source, names)
const errors = (source: string): string[] =>
  run(source)
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(describe)
const good = (source: string) => {
  const found = run(source)
  if (!found.ok) throw new Error(`${source}: ${found.diagnostics.map(describe).join('; ')}`)
  return found
}
const choose = (source: string, facts: Partial<Record<Variable, Fact>> = {}, drawn = 0): string => {
  let decision = good(source).compiled.decide(
    (variable) => facts[variable] ?? '',
    () => drawn,
  )
  while (decision.kind === 'judge') decision = decision.judge.decide(String(facts['judge.output'] ?? ''))
  if (decision.kind === 'call') return decision.model
  return decision.kind === 'parallel' ? `${decision.models.join('+')}>${decision.synthesize}` : decision.models.join('|')
}

test('call is the smallest program', () => {
  expect(good('call "a"').plan).toEqual({ options: null, root: { kind: 'call', model: 'a' } })
})

test('a route has comparisons of every kind, nested actions, both separators and comments', () => {
  const source = `# by size
    option max_calls = 3; option audit_label = "x",
    route {
      when request.input_tokens <= 2000.5 => call "small"; # little
      when request.has_image == true => route { when user.group != "vip" => call "b", otherwise => call "a" },
      otherwise => call "c"
    };`
  expect(good(source).plan).toEqual({
    options: [
      { name: 'max_calls', value: { kind: 'number', number: 3 } },
      { name: 'audit_label', value: { kind: 'string', string: 'x' } },
    ],
    root: {
      kind: 'route',
      routes: [
        {
          condition: { left: 'request.input_tokens', operator: '<=', right: { kind: 'number', number: 2000.5 } },
          action: { kind: 'call', model: 'small' },
        },
        {
          condition: { left: 'request.has_image', operator: '==', right: { kind: 'bool', bool: true } },
          action: {
            kind: 'route',
            routes: [
              {
                condition: { left: 'user.group', operator: '!=', right: { kind: 'string', string: 'vip' } },
                action: { kind: 'call', model: 'b' },
              },
              { otherwise: true, action: { kind: 'call', model: 'a' } },
            ],
          },
        },
        { otherwise: true, action: { kind: 'call', model: 'c' } },
      ],
    },
  })
})

test('zero values are left out of the plan', () => {
  const { root } = good(
    'route { when user.is_admin == false => call "a" when user.balance == 0 => call "b" when user.group == "" => call "c" otherwise => call "a" }',
  ).plan
  expect(root.routes?.map(({ condition }) => (condition && 'right' in condition ? condition.right : undefined))).toEqual([
    { kind: 'bool' },
    { kind: 'number' },
    { kind: 'string' },
    undefined,
  ])
})

test('parallel, judge, switch and fallback have their plans', () => {
  expect(good('parallel { call "a" call "b" } synthesize "c"').plan.root).toEqual({
    kind: 'parallel',
    calls: [
      { kind: 'call', model: 'a' },
      { kind: 'call', model: 'b' },
    ],
    synthesize_model: 'c',
  })
  expect(good('parallel { call "a"; call "b" }').plan.root.synthesize_model).toBeUndefined()
  expect(
    good('judge "small" { prompt "say \\"hard\\" or easy" route { when judge.output == "hard" => call "a" otherwise => call "b" } }').plan
      .root,
  ).toEqual({
    kind: 'judge',
    model: 'small',
    prompt: 'say "hard" or easy',
    routes: [
      {
        condition: { left: 'judge.output', operator: '==', right: { kind: 'string', string: 'hard' } },
        action: { kind: 'call', model: 'a' },
      },
      { otherwise: true, action: { kind: 'call', model: 'b' } },
    ],
  })
  expect(good('switch { weight 0.3 => call "a" chance 0.2 => call "b" otherwise => call "c" }').plan.root.switches).toEqual([
    { weight: 0.3, action: { kind: 'call', model: 'a' } },
    { weight: 0.2, action: { kind: 'call', model: 'b' } },
    { otherwise: true, action: { kind: 'call', model: 'c' } },
  ])
  expect(good('fallback { call "a"; call "b" }').plan.root).toEqual({
    kind: 'fallback',
    calls: [
      { kind: 'call', model: 'a' },
      { kind: 'call', model: 'b' },
    ],
  })
})

const WHEN = (condition: string): string => `route { when ${condition} => call "a" otherwise => call "b" }`
test.each<[string, string[]]>([
  ['route { when user.id == 1 => call "a" }', ['line 1:1: route requires an otherwise branch']],
  ['route { otherwise => call "a" when user.id == 1 => call "b" }', ['line 1:31: when branch cannot follow otherwise']],
  ['route { otherwise => call "a" otherwise => call "b" }', ['line 1:31: duplicate otherwise branch']],
  ['route { call "a" }', ['line 1:1: route requires an otherwise branch', 'line 1:9: expected when or otherwise']],
  ['route {\n  otherwise => call "a"', ['line 2:24: unterminated route block']],
  ['judge "a" { route { otherwise => call "b" }', ['line 1:44: unterminated judge block']],
  ['parallel { call "a"', ['line 1:20: unterminated parallel block']],
  ['fallback { call "a"', ['line 1:20: unterminated fallback block']],
  ['switch { weight 1 => call "a"', ['line 1:30: unterminated switch block']],
  ['call "a', ['line 1:6: unterminated string']],
  ['call "a\n"', ['line 1:6: unterminated string', 'line 2:1: unterminated string']],
  ['call "\\q"', ['Referenced model not found: q', 'line 1:7: unsupported string escape \\q']],
  ['call "a" @', ["line 1:10: unexpected character '@'"]],
  ['call "a" 😀', ["line 1:10: unexpected character '😀'"]],
  [WHEN('user.id == -1'), ["line 1:25: unexpected character '-'"]],
  ['call "a" call "b"', ['line 1:10: unexpected token "call"']],
  ['call "a" }', ['line 1:10: unexpected token "}"']],
  ['parallel { route { otherwise => call "a" } }', ['line 1:12: parallel currently accepts call actions only']],
  ['parallel { }', ['line 1:1: parallel requires at least one call']],
  ['fallback { ; }', ['line 1:1: fallback requires at least one call']],
  ['', ['line 1:1: expected action: call, route, switch, parallel, judge, or fallback']],
  ['cal "a"', ['line 1:1: expected action: call, route, switch, parallel, judge, or fallback; did you mean call?']],
  [WHEN('user.id'), ['line 1:22: expected operator']],
  [WHEN('user.group like "x"'), ['line 1:25: unsupported operator "like"']],
  [WHEN('user.group contain "x"'), ['line 1:25: unsupported operator "contain"; did you mean contains?']],
  [WHEN('user.id = 1'), ['line 1:22: unsupported operator "="; did you mean ==?']],
  [WHEN('user.id == user.id'), ['line 1:25: expected string, number, or boolean literal']],
  [WHEN('== 1'), ['line 1:14: expected variable name']],
  [WHEN('(user.id == 1'), ['line 1:28: expected )']],
  ['route { when user.id == 1 call "a" otherwise => call "b" }', ['line 1:27: expected =>']],
  ['option x 1 call "a"', ['line 1:10: expected = after option name']],
  ['call a', ['line 1:6: expected model name in double quotes after call']],
  ['judge "a" { prompt "x" }', ['line 1:1: judge requires a route']],
  ['switch { otherwise => call "a" }', ['line 1:1: switch requires at least one weighted branch']],
  ['switch { weight 0 => call "a" }', ['line 1:17: switch weight must be a positive number']],
  ['switch { otherwise => call "a" weight 1 => call "b" }', ['line 1:32: weighted branch cannot follow otherwise']],
  ['call "me"', ['Meta model cannot reference itself']],
  ['call "nowhere"', ['Referenced model not found: nowhere']],
  ['call "other-meta"', ['Meta model cannot reference another meta model yet: other-meta']],
  ['judge "nowhere" { route { otherwise => call "a" } }', ['Referenced model not found: nowhere']],
  ['parallel { call "a" } synthesize "nowhere"', ['Referenced model not found: nowhere']],
  [WHEN('request.input_token > 1'), ['line 1:14: Unknown variable: request.input_token; did you mean request.input_tokens?']],
  [WHEN('user.group <= 1'), ['line 1:25: Operator <= requires number operands']],
  [WHEN('user.id > "1"'), ['line 1:22: Operator > requires number operands']],
  [WHEN('user.id contains "1"'), ['line 1:22: Operator contains requires string operands']],
  [WHEN('user.group matches "("'), ['line 1:33: Invalid regular expression: missing )']],
  [WHEN('judge.output == "x"'), ['line 1:14: judge.output is known inside a judge only']],
  ['option max_call = 1 call "a"', ['line 1:8: unknown option "max_call"; did you mean max_calls?']],
  ['option max_calls = 0 call "a"', ['line 1:20: max_calls must be a whole number from 1 to 16']],
  ['option timeout_ms = 99 call "a"', ['line 1:21: timeout_ms must be a whole number from 100 to 600000']],
  ['option allow_parallel = 1 call "a"', ['line 1:25: allow_parallel must be true or false']],
  ['option max_calls = 1 option max_calls = 2 call "a"', ['line 1:29: duplicate option "max_calls"']],
  ['option max_calls = 2 parallel { call "a" call "b" }', ['line 1:22: the program may make 3 calls, max_calls allows 2']],
  ['option allow_parallel = false parallel { call "a" }', ['line 1:31: parallel is not allowed: option allow_parallel is false']],
])('%s', (source, expected) => {
  expect(errors(source)).toEqual(expected)
})

test('one run tells several mistakes, each with place and length', () => {
  const { diagnostics } = run(
    'route {\n  when request.inputtokens > 1 => call "a"\n  whne user.id == 1 => call "b"\n  otherwise => call "gpt-lagre"\n}',
  )
  expect(diagnostics).toEqual([
    {
      severity: 'error',
      code: 'name',
      line: 2,
      column: 8,
      length: 19,
      message: 'Unknown variable: request.inputtokens',
      suggestion: 'request.input_tokens',
    },
    { severity: 'error', code: 'syntax', line: 3, column: 3, length: 4, message: 'expected when or otherwise', suggestion: 'when' },
    {
      severity: 'error',
      code: 'model',
      line: 4,
      column: 21,
      length: 11,
      message: 'Referenced model not found: gpt-lagre',
      suggestion: 'gpt-large',
    },
  ])
})

test('limits on size, depth and counts are findings, not crashes', () => {
  const deep = (levels: number): string => 'route { otherwise => '.repeat(levels) + 'call "a"' + ' }'.repeat(levels)
  expect(errors(deep(MAX_DEPTH - 1))).toEqual([])
  expect(errors(deep(MAX_DEPTH))[0]).toContain('nested too deeply')
  expect(errors(deep(2_000))[0]).toContain('nested too deeply')
  expect(errors(WHEN(`${'('.repeat(20_000)}user.id == 1`))[0]).toContain('nested too deeply')
  expect(errors(WHEN(`${'not '.repeat(10_000)}user.id == 1`))[0]).toContain('nested too deeply')
  expect(errors(`fallback { ${'call "a" '.repeat(MAX_CALLS_IN_BLOCK + 1)}}`).at(-1)).toContain('fallback accepts at most 8 calls')
  expect(errors(`route { ${'when user.id == 1 => call "a" '.repeat(MAX_NODES / 2 + 1)} otherwise => call "a" }`)[0]).toContain('too large')
  expect(errors(' '.repeat(MAX_SOURCE_CHARS + 1))).toEqual(['line 1:1: the program is too long: at most 65536 characters'])
  expect(errors(WHEN(`user.id == ${'9'.repeat(400)}`))).toEqual(['line 1:25: number is too large'])
})

test('comparisons of different kinds are never equal, and a warning', () => {
  expect(run(WHEN('user.id == "1"')).diagnostics).toMatchObject([
    { severity: 'warning', line: 1, column: 25, message: 'user.id is a number: this comparison is always false' },
  ])
  expect([choose(WHEN('user.id == "1"'), { 'user.id': 1 }), choose(WHEN('user.id != "1"'), { 'user.id': 1 })]).toEqual(['b', 'a'])
})

test.each<[string, Partial<Record<Variable, Fact>>, boolean]>([
  ['request.input_tokens == 5', { 'request.input_tokens': 5 }, true],
  ['request.input_tokens != 5', { 'request.input_tokens': 5 }, false],
  ['request.input_tokens < 5', { 'request.input_tokens': 5 }, false],
  ['request.input_tokens <= 5', { 'request.input_tokens': 5 }, true],
  ['request.input_tokens > 4.75', { 'request.input_tokens': 5 }, true],
  ['request.input_tokens >= 6', { 'request.input_tokens': 5 }, false],
  ['user.group == "vip"', { 'user.group': 'vip' }, true],
  ['request.stream == true', { 'request.stream': true }, true],
  ['request.has_tools == true', { 'request.has_tools': false }, false],
  ['request.protocol == "claude"', { 'request.protocol': 'claude' }, true],
  ['api_key.name starts_with "ci-"', { 'api_key.name': 'ci-7' }, true],
  ['request.text contains "code"', { 'request.text': 'some code' }, true],
  ['request.text not_contains "code"', { 'request.text': 'some code' }, false],
  ['request.text ends_with "?"', { 'request.text': 'why?' }, true],
  ['request.text matches "(?i)^please .*pay(ment)?s?$"', { 'request.text': 'Please send PAYMENTS' }, true],
  ['api_key.quota_remaining < 1', { 'api_key.quota_remaining': Infinity }, false],
  ['request.temperature < 1', { 'request.temperature': Number.NaN }, false],
  ['request.temperature != 1', { 'request.temperature': Number.NaN }, true],
  // and binds tighter than or, not tighter than and
  ['user.id == 1 or user.id == 2 and user.is_admin == true', { 'user.id': 1, 'user.is_admin': false }, true],
  ['(user.id == 1 or user.id == 2) and user.is_admin == true', { 'user.id': 1, 'user.is_admin': false }, false],
  ['not user.id == 1 and user.is_admin == true', { 'user.id': 1, 'user.is_admin': true }, false],
  ['not (user.id == 1 and user.is_admin == true)', { 'user.id': 1, 'user.is_admin': false }, true],
  ['time.hour >= 22 or time.hour < 6', { 'time.hour': 23 }, true],
])('%s with %p is %p', (condition, facts, expected) => {
  expect(choose(WHEN(condition), facts)).toBe(expected ? 'a' : 'b')
})

test('the first true branch is taken, else otherwise', () => {
  const source = 'route { when user.id > 1 => call "a" when user.id > 2 => call "b" otherwise => call "c" }'
  expect([3, 2, 1].map((id) => choose(source, { 'user.id': id }))).toEqual(['a', 'a', 'c'])
})

test('a switch goes by weight; otherwise gets what is left of 1', () => {
  const relative = 'switch { weight 1 => call "a" chance 3 => call "b" }'
  expect([0, 0.24, 0.26, 0.999].map((drawn) => choose(relative, {}, drawn))).toEqual(['a', 'a', 'b', 'b'])
  const rest = 'switch { probability 0.25 => call "a" otherwise => call "b" }'
  expect([0, 0.24, 0.26, 0.999].map((drawn) => choose(rest, {}, drawn))).toEqual(['a', 'a', 'b', 'b'])
})

test("a judge's answer decides, nested judges and blocks too; parallel without synthesize lets its first model write", () => {
  const source = `judge "small" { route {
    when judge.output == "hard" => parallel { call "a" call "b" }
    when judge.output contains "medium" => fallback { call "b" call "c" }
    otherwise => parallel { call "a" call "b" } synthesize "c" } }`
  expect(['hard', 'rather medium', 'x'].map((output) => choose(source, { 'judge.output': output }))).toEqual(['a+b>a', 'b|c', 'a+b>c'])
})

test('the way to a decision tells each condition and its values', () => {
  const path: { kind: string; text: string; taken: boolean }[] = []
  good('route { when user.id > 5 and not user.group == "x" => call "a" otherwise => call "b" }').compiled.decide(
    (variable) => (variable === 'user.id' ? 4 : 'y'),
    () => 0,
    path as never,
  )
  expect(path as unknown).toEqual([
    {
      line: 1,
      column: 9,
      kind: 'when',
      text: 'user.id > 5 and not user.group == "x"',
      taken: false,
      values: { 'user.id': 4, 'user.group': 'y' },
    },
    { line: 1, column: 64, kind: 'otherwise', text: 'otherwise', taken: true },
    { line: 1, column: 77, kind: 'call', text: 'b', taken: true },
  ])
})

test('formatting gives one form and keeps comments', () => {
  const source =
    '# top\noption max_calls=3;route{when (user.id==1 or user.id==2)and user.is_admin==true=>call "a";# why\n\n\n# next\notherwise=>parallel{call "a",call "b"}synthesize "c"}# end'
  const formatted = `# top
option max_calls = 3
route {
  when (user.id == 1 or user.id == 2) and user.is_admin == true => call "a" # why

  # next
  otherwise => parallel {
    call "a"
    call "b"
  } synthesize "c"
} # end
`
  expect(format(source)).toBe(formatted)
  expect(format(formatted)).toBe(formatted)
  expect(good(formatted).plan).toEqual(good(source).plan)
})

test('a route of 20 branches is decided within 20 us', () => {
  const branches = Array.from(
    { length: 20 },
    (_, index) => `when request.input_tokens > ${100_000 - index} and user.group == "g${index}" => call "a"`,
  )
  const { compiled } = good(`route { ${branches.join('\n')} otherwise => call "b" }`)
  const rounds = 20_000
  const decide = () =>
    compiled.decide(
      (variable) => (variable === 'user.group' ? 'none' : 200_000),
      () => 0,
    )
  for (let round = 0; round < rounds; round += 1) decide()
  const started = performance.now()
  for (let round = 0; round < rounds; round += 1) decide()
  expect(((performance.now() - started) * 1000) / rounds).toBeLessThan(20)
})
