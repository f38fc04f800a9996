import type { Message } from '../message.ts'
import type { home as en } from '../en/home.ts'

export const home: { readonly [K in keyof typeof en]: Message } = {
  'home.hero': '一个地址，接入所有模型；\n每次调用，都有明细账单。',
  'home.lead': '继续使用您熟悉的 SDK，只需更换地址，即可用一个密钥调用本站全部模型。按 token 计量，费用精确到最后一位。',
  'home.start': '立即开始',
  'home.models': { other: '在售模型 {count} 个' },
  'home.noModels': '即将开放：暂无在售模型',
  'home.oneLine': '只需更换地址与密钥',
  'home.protocols': '协议',
  'home.onSale': '本站在售',
  'home.priceNote': '每百万 token 价格，未计您的分组倍率',
  'home.why': '我们的承诺',
  'home.point.exact': '精确到小数点后十位',
  'home.point.exact.text': '每次调用都有账单：各类 token 数、单价、倍率与合计，您可以自行验算。',
  'home.point.protocols': '四种协议，转换不丢内容',
  'home.point.protocols.text': '支持 OpenAI Chat、Responses、Claude 与 Gemini。无法转换的内容会明确列出，绝不悄悄丢弃。',
  'home.point.failover': '没有结果，不收费用',
  'home.point.failover.text': '未产生回答的调用不扣费。上游在首字节前失败时，自动换下一个渠道应答。',
}
