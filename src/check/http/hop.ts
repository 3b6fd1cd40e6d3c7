import { bracketed } from '../../model/service.ts'
import { Failure } from '../failure.ts'
import type { Request } from '../fields.ts'

export type Scheme = 'http' | 'https'

/** One request of a probe: where it goes and what it says. */
export interface Hop {
  readonly scheme: Scheme
  /** Address or, for a URL of the operator's own, a name. */
  readonly host: string
  readonly port: number
  /** Path and query, encoded. */
  readonly path: string
  /** The Host header as sent. */
  readonly hostHeader: string
  /** For SNI, undefined for none. */
  readonly serverName: string | undefined
  /** Whom a redirect named, to be asked where the real server does not listen on that port itself. */
  readonly named?: string
  /** The whole URL, of a request that is for a proxy. */
  readonly url?: string
  /** It goes past the proxy that is checked: why, for the operator. */
  readonly past?: string
  /** The Location this hop came from. */
  readonly location?: string
}

/** What is asked first, and where a redirect of it leads. */
export interface Route {
  readonly first: Hop
  next(first: Hop, current: Hop, location: string): Hop
}

interface FirstHopParts {
  readonly scheme: Scheme
  readonly address: string
  readonly port: number
  readonly request: Request
  readonly virtualhost: string | undefined
  /** Server name of TLS where it is not the virtual host. */
  readonly checksni?: string | undefined
}

/**
 * What is asked first (behaviour reference 3.5). Only the pair of a `real` line can hold a whole URL, of the check's own
 * scheme; anywhere else, and in the middle of a text, it is part of a path.
 *
 * @throws Failure when the URL is none
 */
export function firstHop({ scheme, address, port, request, virtualhost, checksni }: FirstHopParts): Hop {
  const text = request.text.slice(1)
  if (request.perReal && text.toLowerCase().startsWith(`${scheme}://`)) {
    const url = parseUrl(encodePath(text), undefined)
    if (url === undefined) throw new Failure('protocol', `the request is not a URL: ${text}`)
    const host = hostOf(url)
    return {
      scheme,
      host,
      port: portOf(url),
      path: pathOf(url),
      hostHeader: fieldValue(virtualhost ?? bracketed(host)),
      serverName: checksni ?? virtualhost ?? host,
    }
  }
  return {
    scheme,
    host: address,
    port,
    path: encodePath(request.text),
    hostHeader: fieldValue(virtualhost ?? bracketed(address)),
    serverName: checksni ?? virtualhost,
  }
}

/** Stands in where a Location names no host: the reply came from whoever was asked. */
const nobody = 'nobody.invalid'

/**
 * Where a redirect leads: to the same real server whatever host it names, with that host's name in Host and SNI. The
 * check's own scheme stays on the check's own port, the other one has the port of the URL (design 9).
 *
 * @throws Failure for a Location that is no http or https URL
 */
export function nextHop(first: Hop, current: Hop, location: string): Hop {
  const url = parseUrl(location, `${current.scheme}://${nobody}${current.path}`)
  const scheme = url?.protocol.slice(0, -1)
  if (url === undefined || (scheme !== 'http' && scheme !== 'https')) {
    throw new Failure('protocol', `redirected to ${location}, which is no http or https URL`)
  }
  const path = pathOf(url)
  const named = hostOf(url)
  if (named === nobody && scheme === current.scheme) return { ...current, path, location }
  const own = scheme === first.scheme
  const hop = { scheme, host: first.host, port: own ? first.port : portOf(url), path, location } as const
  if (named === nobody) return { ...hop, hostHeader: current.hostHeader, serverName: current.serverName }
  // the site's own name keeps the server name that the config gives for it
  const serverName = named === first.hostHeader.toLowerCase() ? (first.serverName ?? named) : named
  return { ...hop, hostHeader: url.host, serverName, ...(own ? {} : { named }) }
}

export function parseUrl(text: string, base: string | undefined): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')
export const portOf = (url: URL): number =>
  url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
export const pathOf = (url: URL): string => encodePath(`${url.pathname}${url.search}`)

/**
 * What a request line can carry: RFC 3986's characters and escapes that are there already stay, every other byte of
 * the UTF-8 text becomes one. A fragment is never sent.
 */
export function encodePath(text: string): string {
  const sent = Buffer.from(text.replace(/#.*$/s, ''), 'utf8').toString('latin1')
  return sent.replace(
    /[^A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** A header value: UTF-8 bytes as latin1, without blanks around it and without control characters. */
function fieldValue(text: string): string {
  const sent = Buffer.from(text, 'utf8').toString('latin1')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return sent.replace(/[\u0000-\u001f\u007f]/g, '').trim()
}
