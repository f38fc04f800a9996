import { realProvider } from '../oidc/real-provider.ts'
import { smtpSink } from '../smtp.ts'

/*
 * What a site may use beside its upstreams, in a process of its own that can be frozen: a mail server, an identity provider, a captcha
 * service and a channel whose price list is read. Prints the settings that lead there, and the address of the list, as one line of JSON.
 */
const [mail, provider] = [await smtpSink(), await realProvider('http://127.0.0.1/auth/callback')]
const web = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: ({ url }) =>
    new URL(url).pathname.endsWith('/siteverify')
      ? Response.json({ success: true, hostname: '127.0.0.1' })
      : Response.json({
          success: true,
          data: [{ model_name: 'm', quota_type: 0, model_ratio: 1, completion_ratio: 4, enable_groups: [] }],
        }),
})
console.log(
  JSON.stringify({
    listUrl: `http://127.0.0.1:${web.port}`,
    settings: {
      ...mail.settings,
      ...provider.settings('http://127.0.0.1/auth/callback'),
      password_hcaptcha_enabled: true,
      hcaptcha_site_key: 'site-key',
      hcaptcha_secret: 'the secret',
      hcaptcha_verify_url: `http://127.0.0.1:${web.port}/siteverify`,
    },
  }),
)
