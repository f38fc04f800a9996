import type { Message } from '../message.ts'

export const auth = {
  'auth.title': 'Sign in to {site}',
  'auth.lead': 'Keys, calls, receipts and balance in one place.',
  'auth.identifier': 'User name or e-mail',
  'auth.password': 'Password',
  'auth.signIn': 'Sign in',
  'auth.noMethod': 'Signing in with a password is switched off on this site. Ask the site owner which way to use.',
  'auth.endedTitle': 'The session has ended',
  'auth.endedText': 'Sign in again to go on. What you typed on this page stays.',
} satisfies Record<string, Message>
