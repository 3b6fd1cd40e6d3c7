import type { Check } from '../src/check/contract.ts'
import { imapFields, probeImap } from '../src/check/imap/probe.ts'
import { starttls } from '../src/check/tls-fields.ts'

const fields = { ...imapFields, starttls }

/** Up when the greeting is good and, with a login, the server takes it. */
export const imap: Check<typeof fields> = {
  name: 'imap',
  kind: 'negotiate',
  summary: 'waits for the greeting of a mailbox server and logs in where there is a login',
  defaultForPorts: [143],
  timeout: 'negotiatetimeout',
  fields,
  run: (target, options, context) => probeImap(target, { options, tls: options.starttls, context }),
}
