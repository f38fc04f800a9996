import type { Message } from '../message.ts'
import type { auth as en } from '../en/auth.ts'

export const auth: { readonly [K in keyof typeof en]: Message } = {
  'auth.title': '登录 {site}',
  'auth.lead': '密钥、调用、账单与余额，都在这里。',
  'auth.identifier': '用户名或邮箱',
  'auth.password': '密码',
  'auth.signIn': '登录',
  'auth.noMethod': '本站已关闭密码登录。请联系站长了解登录方式。',
  'auth.endedTitle': '会话已结束',
  'auth.endedText': '重新登录即可继续，本页已填写的内容会保留。',
}
