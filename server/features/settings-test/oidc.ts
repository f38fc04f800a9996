import type { testOidc } from '../../../contract/api/settings.ts'
import type { BodyOf, ResponseOf } from '../../../contract/endpoint.ts'
import type { Deps } from '../../http/deps.ts'
import { OidcProvider } from '../oidc/provider.ts'
import { overlaid } from './overlay.ts'
import { trySteps } from './steps.ts'

type Answer = ResponseOf<typeof testOidc>

/**
 * Reads what the provider says of itself and its signing keys; nobody is sent there, and no secret leaves.
 * @throws AppError too_many_requests
 */
export function tryOidc(deps: Deps, actor: { userId: number; ip: string }, form: BodyOf<typeof testOidc>): Promise<Answer> {
  // Tried before it is switched on.
  const { deps: tried, fault } = overlaid(deps, { ...form, oidc_enabled: 'true' }, { oidc_client_secret: ['oidc_issuer'] })
  const provider = new OidcProvider(tried)
  let keysUrl: string | undefined
  return trySteps<Answer['steps'][number]['name']>(
    deps,
    actor,
    'oidc',
    async (step) =>
      (await step('settings', () => {
        if (fault !== undefined) throw new Error(fault)
        return `Register this redirect URL with the provider: ${provider.config().redirectUrl}`
      })) &&
      (await step('discovery', async () => {
        const described = await provider.described()
        keysUrl = described.keysUrl
        return described.issuer
      })) &&
      (await step('keys', async () => {
        if (keysUrl === undefined) throw new Error('the provider names no jwks_uri')
        return `${await provider.keys(keysUrl)} at ${keysUrl}`
      })),
  )
}
