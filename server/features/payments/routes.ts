import { pageOfTimes } from '../../../contract/api/common.ts'
import * as api from '../../../contract/api/payments.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { mayCall } from '../../http/caller.ts'
import { spanOf } from '../../lib/query-time.ts'
import { orderDetail, resolve, searchOrders } from './admin.ts'
import { Callbacks } from './callbacks.ts'
import { configOf, listOwnOrders, openOrder, requireOrder } from './orders.ts'
import { recheck } from './recheck.ts'
import { refund } from './refunds.ts'
import { submitPage } from './submit.ts'
import { adminOrderWireOf, orderWireOf } from './wire.ts'

/** Payments: what gateways call, what customers and those who run the site do with orders. */
export function paymentsRoutes(deps: Deps): Route[] {
  const callbacks = new Callbacks(deps)
  const { clock } = deps
  return [
    bind(api.yipayReturn, ({ request, ip }) => callbacks.show('yipay', request, ip)),
    bind(api.yipayNotifyGet, ({ request, ip }) => callbacks.notify('yipay', request, ip)),
    bind(api.yipayNotifyPost, ({ request, ip }) => callbacks.notify('yipay', request, ip)),
    bind(api.openPaymentReturn, ({ request, ip }) => callbacks.show('openpayment', request, ip)),
    bind(api.openPaymentNotifyGet, ({ request, ip }) => callbacks.notify('openpayment', request, ip)),
    bind(api.openPaymentNotifyPost, ({ request, ip }) => callbacks.notify('openpayment', request, ip)),
    bind(api.stripeNotify, ({ request, ip }) => callbacks.notify('stripe', request, ip)),
    bind(api.openPaymentSubmit, ({ params, request, ip }) => submitPage(deps, params.order_no, request, ip)),
    bind(api.paymentConfig, () => configOf(deps)),
    bind(api.listUserOrders, ({ caller, query }) => listOwnOrders(deps, caller.userId, pageOfTimes(query), spanOf(query))),
    bind(api.createOrder, ({ body, caller, ip }) => openOrder(deps, body, { id: caller.userId, ip })),
    bind(api.getUserOrder, async ({ params, caller }) =>
      orderWireOf(await requireOrder(deps, params.order_no, caller.userId), clock.now()),
    ),
    bind(api.recheckUserOrder, async ({ params, caller }) => {
      const owner = mayCall(caller.role, 'finance') ? undefined : caller.userId
      return orderWireOf(await recheck(deps, params.order_no, owner), clock.now())
    }),
    bind(api.listOrders, ({ query }) => searchOrders(deps, query)),
    bind(api.getOrder, ({ params }) => orderDetail(deps, params.order_no)),
    bind(api.recheckOrder, async ({ params }) => adminOrderWireOf(await recheck(deps, params.order_no), clock.now())),
    bind(api.resolveOrder, ({ params, body, caller, ip }) => resolve(deps, params.order_no, body, { userId: caller.userId, ip })),
    bind(api.refundOrder, ({ params, body, caller, ip }) => refund(deps, params.order_no, body, { userId: caller.userId, ip })),
  ]
}
