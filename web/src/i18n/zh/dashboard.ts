import type { Message } from '../message.ts'
import type { dashboard as en } from '../en/dashboard.ts'

export const dashboard: { readonly [K in keyof typeof en]: Message } = {
  'dashboard.welcome': '您好，{name}',
  'dashboard.balance': '余额',
  'dashboard.held': '进行中的调用已预留：',
  'dashboard.spent': '累计消费',
  'dashboard.today': '今日调用',
  'dashboard.utc': '按 UTC 日期',
  'dashboard.requests': '累计调用',
  'dashboard.lastCalls': '最近调用',
  'dashboard.allCalls': '全部调用',
  'dashboard.firstSteps': '首次调用之前',
  'dashboard.done': '已完成',
  'dashboard.do.sell': '接入上游并上架模型',
  'dashboard.do.sell.text': '粘贴上游密钥，完成测试并设定价格。',
  'dashboard.do.sell.action': '去接入',
  'dashboard.do.balance': '账户有余额',
  'dashboard.do.balance.text': '调用费用从余额支付。请联系站长为您入账。',
  'dashboard.do.balance.action': '充值',
  'dashboard.do.key': '创建 API 密钥',
  'dashboard.do.key.text': '网关凭密钥识别您的程序。',
  'dashboard.do.key.action': '创建密钥',
  'dashboard.do.call': '发起一次调用',
  'dashboard.do.call.text': '几秒后即可在此查看账单。',
  'dashboard.do.call.action': '试一试',
}
