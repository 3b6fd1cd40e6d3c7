import { DeadlineError } from '../lib/deadline-error.ts'
import { codeOf, messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { type CheckResult, type DownReason, down, type UnknownReason, unknown } from '../model/verdict.ts'
import { ClosedError, NoPortError } from './dial.ts'

/** What a check gives up with when it has seen enough to name the reason itself. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly result: CheckResult

  constructor(reason: DownReason, detail: string) {
    super(detail)
    this.result = down(reason, detail)
  }
}

/** What a check gives up with when the fault is this machine's, and nothing can be said of the server. */
export class LocalFailure extends Error {
  override readonly name = 'LocalFailure'
  readonly result: CheckResult

  constructor(reason: UnknownReason, detail: string) {
    super(detail)
    this.result = unknown(reason, detail)
  }
}

const downCodes: Readonly<Record<string, readonly [DownReason, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  EHOSTUNREACH: ['unreachable', 'no route to host'],
  ENETUNREACH: ['unreachable', 'network is unreachable'],
  EHOSTDOWN: ['unreachable', 'host is down'],
  ENETDOWN: ['unreachable', 'network is down'],
  ECONNRESET: ['closed', 'the server reset the connection'],
  ECONNABORTED: ['closed', 'the connection was aborted'],
  EPIPE: ['closed', 'the server closed the connection'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
}

const unknownCodes: Readonly<Record<string, readonly [UnknownReason, string]>> = {
  EMFILE: ['local-resource', 'this process has too many open files'],
  ENFILE: ['local-resource', 'this machine has too many open files'],
  EADDRNOTAVAIL: ['local-resource', 'no local address or port is free'],
  EADDRINUSE: ['local-resource', 'no local port is free'],
  ENOBUFS: ['local-resource', 'no buffer space'],
  ENOMEM: ['local-resource', 'no memory'],
  EAFNOSUPPORT: ['local-resource', 'this machine does not speak that address family'],
  EACCES: ['not-permitted', 'not permitted on this machine'],
  EPERM: ['not-permitted', 'not permitted on this machine'],
}

/**
 * What an error says of the server. The signal is asked first, for what a library rejects with after an abort differs
 * by phase. An error nobody foresaw is a bug of ours and says nothing of the server.
 */
export function failureOf(error: unknown, signal: AbortSignal, phase: string): CheckResult {
  if (error instanceof Failure || error instanceof LocalFailure) return error.result
  if (signal.aborted) return abortResult(signal.reason, phase)
  if (error instanceof DeadlineError) return abortResult(error, phase)
  if (error instanceof ClosedError) return down('closed', `${error.message} while ${phase}`)
  if (error instanceof NoPortError) return down('unreachable', error.message)
  const code = codeOf(error) ?? ''
  const gone = downCodes[code]
  if (gone !== undefined) return down(gone[0], `${gone[1]} while ${phase}`)
  const ours = unknownCodes[code]
  if (ours !== undefined) return unknown(ours[0], `${ours[1]} (${code}) while ${phase}`)
  if (tlsCodes.test(code)) return down('tls', `${tlsText(error)} while ${phase}`)
  return unknown('bug', error instanceof Error ? (error.stack ?? error.message) : printable(messageOf(error)))
}

/** Time ran out: the server's fault. Called off: nobody's. */
function abortResult(reason: unknown, phase: string): CheckResult {
  if (reason instanceof DeadlineError) return down('timeout', `${reason.message}: ${phase}`)
  return unknown('cancelled', `called off while ${phase}`)
}

const tlsCodes = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO$)/

/** OpenSSL's own reason without its file names: `wrong version number`; Node puts it into `reason`. */
function tlsText(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'reason' in error && typeof error.reason === 'string') {
    return printable(error.reason, 120)
  }
  const parts = messageOf(error).split(':')
  // error:0A00010B:SSL routines::wrong version number:../file.c:354:
  const reason = parts.length > 5 ? parts.at(-4) : undefined
  return printable(reason === undefined || reason === '' ? messageOf(error).trim() : reason, 120)
}
