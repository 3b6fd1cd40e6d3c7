import type { Check } from '../src/check/contract.ts'
import { probeRoute } from '../src/check/http/probe.ts'
import { proxyRoute } from '../src/check/http/proxy-hop.ts'
import { http } from './http.ts'

const { httpmethod, request, receive } = http.fields
const fields = { httpmethod, request, receive }

/** The http check of what a proxy fetches: `request` is the whole URL. */
export const httpProxy: Check<typeof fields> = {
  ...http,
  name: 'http_proxy',
  summary: 'asks a proxy for the page whose URL is in request',
  defaultForPorts: [3128],
  fields,
  // the request always begins with a slash, put there by the config where the file has none
  run: (target, options, context) =>
    probeRoute(target, () => proxyRoute(target, options.request.text.slice(1)), { options, context }),
}
