import type { ReceiptLine } from '../../../contract/api/logs.ts'
import { formatMoney, MONEY_SCALE, type Money } from '../../../contract/money.ts'
import { EXACT_SCALE, formatExact, type Quote } from '../../../contract/quote.ts'

/** A quote as receipts show it: its lines and what the one rounding added or took. */
export function receiptLines(
  priced: Quote,
  by: { group: Money; groupSource: string; userChannel: Money },
): { lines: ReceiptLine[]; rounding: string } {
  const exact = priced.lines.reduce((sum, line) => sum + line.exact, 0n)
  return {
    lines: priced.lines.map((line) => ({
      meter: line.meter,
      tokens: line.tokens,
      unit_price: formatMoney(line.unitPrice),
      tier:
        line.tier === undefined
          ? null
          : { min_tokens: line.tier.minTokens, price: formatMoney(line.tier.price), condition: line.tier.condition },
      group_multiplier: formatMoney(by.group),
      group_source: by.groupSource,
      channel_multiplier: formatMoney(by.userChannel),
      amount: formatExact(line.exact),
    })),
    rounding: formatSigned(priced.total * 10n ** BigInt(EXACT_SCALE - MONEY_SCALE) - exact),
  }
}

function formatSigned(exact: bigint): string {
  return exact < 0n ? `-${formatExact(-exact)}` : formatExact(exact)
}
