import type { Check } from '../src/check/contract.ts'
import { imapFields, probeImap } from '../src/check/imap/probe.ts'
import { imap } from './imap.ts'

/** The imap check over TLS from the first byte. */
export const imaps: Check<typeof imapFields> = {
  ...imap,
  name: 'imaps',
  summary: 'as imap, over TLS',
  defaultForPorts: [993],
  fields: imapFields,
  run: (target, options, context) => probeImap(target, { options, tls: 'at once', context }),
}
