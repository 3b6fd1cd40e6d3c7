import type { Check } from '../src/check/contract.ts'
import { probeSmtp, smtpFields } from '../src/check/smtp/probe.ts'

/** Up when the banner is 2xx and EHLO, or HELO where that is refused, is answered with 2xx. */
export const smtp: Check<typeof smtpFields> = {
  name: 'smtp',
  kind: 'negotiate',
  summary: 'greets a mail server and leaves politely',
  defaultForPorts: [25],
  timeout: 'negotiatetimeout',
  fields: smtpFields,
  run: probeSmtp,
}
