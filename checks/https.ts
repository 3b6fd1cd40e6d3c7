import type { Check } from '../src/check/contract.ts'
import { probeHttp } from '../src/check/http/probe.ts'
import { tlsFields } from '../src/check/tls-fields.ts'
import { http } from './http.ts'

const fields = { ...http.fields, ...tlsFields }

/** The http check over TLS; `virtualhost` is the server name too. */
export const https: Check<typeof fields> = {
  ...http,
  name: 'https',
  summary: 'asks a web server for a page over TLS',
  defaultForPorts: [443],
  fields,
  run: (target, options, context) => probeHttp('https', target, { options, tls: options, context }),
}
