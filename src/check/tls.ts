import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { judgeCertificate } from './certificate.ts'
import type { CheckContext } from './contract.ts'
import { ClosedError, destroyOnAbort, opened } from './dial.ts'
import { Failure } from './failure.ts'
import { tlsContext } from './tls-context.ts'
import type { TlsSettings } from './tls-fields.ts'

/** What TLS is to be like, and whose name is expected. */
export interface TlsParts {
  readonly options: TlsSettings
  /** The virtual host, for want of `checksni`. */
  readonly virtualhost?: string | undefined
  /** The address that was dialled: what a certificate must name when there is neither. */
  readonly address: string
  readonly alpn?: readonly string[]
}

/**
 * Makes an open connection a TLS one; its certificate is looked at and reported. It is verified only with `tlsverify`:
 * real servers are reached by address, with certificates made for the virtual service (defect D31).
 *
 * @throws the signal's reason, the OpenSSL error of the handshake, Failure for a certificate that is not accepted,
 *   LocalFailure for a file that cannot be used
 */
export async function secure(
  socket: Socket,
  parts: TlsParts,
  context: Pick<CheckContext, 'signal' | 'step' | 'warn'>,
): Promise<TLSSocket> {
  const { signal } = context
  let tls: TLSSocket | undefined
  try {
    const options = await connectionOptions(parts)
    signal.throwIfAborted()
    if (socket.destroyed) throw new ClosedError()
    tls = connect({ ...options, socket })
    // the lower socket's end alone would look like an orderly one up here
    destroyOnAbort(tls, signal)
    tls.once('close', () => socket.destroy())
    await opened(tls, 'secureConnect', signal)
    endWithAlert(tls)
    inspectPeer(tls, parts, context)
    return tls
  } catch (error) {
    tls?.destroy()
    socket.destroy()
    throw error
  }
}

/**
 * An alert after the handshake, by which a server of TLS 1.3 refuses our certificate, is only told by Node, and then
 * the connection ends as if in good order. Whoever reads from it shall hear why.
 */
function endWithAlert(tls: TLSSocket): void {
  tls.once('error', (error) => tls.destroy(error))
}

/**
 * For a library that makes the TLS connection itself: pass it these, and call `inspectPeer` before anything secret is
 * sent. They never refuse a certificate.
 *
 * @throws LocalFailure for a file that cannot be used
 */
export async function connectionOptions(parts: TlsParts): Promise<ConnectionOptions> {
  const name = sniOf(wantedName(parts))
  return {
    secureContext: await tlsContext(parts.options),
    rejectUnauthorized: false,
    // the name is looked at in inspectPeer
    checkServerIdentity: () => undefined,
    ...(name === undefined ? {} : { servername: name }),
    ...(parts.alpn === undefined ? {} : { ALPNProtocols: [...parts.alpn] }),
  }
}

/** Reports the certificate of an open TLS connection. @throws Failure `tls` with `tlsverify` for one that is not good */
export function inspectPeer(tls: TLSSocket, parts: TlsParts, context: Pick<CheckContext, 'step' | 'warn'>): void {
  const certificate = tls.getPeerX509Certificate()
  const { tlsverify } = parts.options
  if (certificate === undefined) {
    if (tlsverify) throw new Failure('tls', 'the server has no certificate')
    context.step('the server has no certificate')
    return
  }
  const fault = tls.authorized ? undefined : String(tls.authorizationError)
  const wanted = wantedName(parts)
  const judged = judgeCertificate({ certificate, chainFault: fault, wanted, now: Date.now() })
  for (const note of judged.notes) context.step(note)
  if (judged.warning !== undefined) context.warn(judged.warning)
  if (tlsverify && judged.fault !== undefined) throw new Failure('tls', `certificate not accepted: ${judged.fault}`)
}

/** `checksni`, else the virtual host, else the address. */
function wantedName({ options, virtualhost, address }: TlsParts): string {
  return bare(options.checksni) ?? bare(virtualhost) ?? address
}

function bare(host: string | undefined): string | undefined {
  const name = host?.trim()
  if (name === undefined || name === '') return undefined
  if (isIP(name) !== 0) return name
  const inner = /^\[(.*)\](?::\d+)?$/.exec(name)?.[1] ?? name.replace(/:\d+$/, '').replace(/\.$/, '')
  return inner === '' ? undefined : inner
}

/** The name as SNI may carry it: no port, no trailing dot, no address (RFC 6066 section 3); undefined when nothing is left. */
export function sniOf(host: string | undefined): string | undefined {
  const name = bare(host)
  if (name === undefined || isIP(name) !== 0 || !/^[A-Za-z0-9_.-]+$/.test(name)) return undefined
  return name
}
