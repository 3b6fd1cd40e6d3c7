import { Failure } from '../failure.ts'
import { encodePath, type Hop, hostOf, parseUrl, pathOf, portOf, type Route } from './hop.ts'

/** The proxy that is checked. */
export interface Proxy {
  readonly address: string
  readonly port: number
}

/** @throws Failure for a text that is no http or https URL */
export function proxyRoute(proxy: Proxy, text: string): Route {
  const url = parseUrl(encodePath(text), undefined)
  if (url === undefined || !isWeb(url)) throw new Failure('protocol', 'the request must be an http:// URL')
  return { first: hopTo(proxy, url), next: (_first, current, location) => nextProxyHop(proxy, current, location) }
}

/** A redirect to an http URL goes to the proxy again. */
function nextProxyHop(proxy: Proxy, current: Hop, location: string): Hop {
  const url = parseUrl(location, current.url)
  if (url === undefined || !isWeb(url)) {
    throw new Failure('protocol', `redirected to ${location}, which is no http or https URL`)
  }
  return { ...hopTo(proxy, url), location }
}

const isWeb = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'https:'

/**
 * The request for a URL: an http one goes to the proxy, the whole URL in its request line; an https one goes to its own
 * host, as with Perl ldirectord (behaviour reference 3.5), for the tunnel would be another service. Nothing that stands
 * before an `@` is sent.
 */
function hopTo(proxy: Proxy, url: URL): Hop {
  const plain = `${url.protocol}//${url.host}${pathOf(url)}`
  const shared = { hostHeader: url.host, url: plain }
  if (url.protocol === 'http:') {
    return { ...shared, scheme: 'http', host: proxy.address, port: proxy.port, path: plain, serverName: undefined }
  }
  const host = hostOf(url)
  const past = `${url.protocol}//${url.host} does not go through the proxy`
  return { ...shared, scheme: 'https', host, port: portOf(url), path: pathOf(url), serverName: host, past }
}
