import type { Check } from '../src/check/contract.ts'
import { httpFields, probeHttp } from '../src/check/http/probe.ts'

/** Up when the final reply is 2xx and its body matches `receive`. */
export const http: Check<typeof httpFields> = {
  name: 'http',
  kind: 'negotiate',
  summary: 'asks a web server for a page',
  defaultForPorts: [80],
  timeout: 'negotiatetimeout',
  fields: httpFields,
  run: (target, options, context) => probeHttp('http', target, { options, context }),
}
