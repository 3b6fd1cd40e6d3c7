import type { Socket } from 'node:net'
import type { OptionsOf } from '../../lib/fields.ts'
import { type CheckResult, down } from '../../model/verdict.ts'
import type { CheckContext, Target } from '../contract.ts'
import type { Progress } from '../dial.ts'
import { failureOf } from '../failure.ts'
import { httpmethod, receive, request, virtualhost } from '../fields.ts'
import { secure } from '../tls.ts'
import { plainTlsSettings, type TlsSettings } from '../tls-fields.ts'
import { judgeBody } from './body.ts'
import { firstHop, type Hop, nextHop, type Route, type Scheme } from './hop.ts'
import { exchangeLeniently } from './lenient.ts'
import { enter, type Journey, literal, reach } from './reach.ts'
import { type Exchange, type HttpReply, UnreadableReplyError } from './reply.ts'
import { exchange } from './undici.ts'

export const httpFields = { virtualhost, httpmethod, request, receive }
export type HttpOptions = OptionsOf<typeof httpFields>

const MOST_REDIRECTS = 7

/** Everything the parts of one probe share. */
interface Run extends Journey {
  readonly options: Given['options']
  readonly tls: TlsSettings
  /** Where a redirect leads. */
  next(current: Hop, location: string): Hop
}

/** What a probe is given beside its target. */
export interface Given {
  readonly options: Pick<HttpOptions, 'httpmethod' | 'receive'>
  readonly tls?: TlsSettings
  readonly context: CheckContext
}

/** Asks once, follows redirects on the same real server, judges status and body (behaviour reference 3.5, design 9). */
export async function probeHttp(
  scheme: Scheme,
  target: Target,
  given: Given & { readonly options: HttpOptions },
): Promise<CheckResult> {
  const { request: asked, virtualhost: name } = given.options
  const checksni = given.tls?.checksni
  const route = (): Route => ({
    first: firstHop({ ...target, scheme, request: asked, virtualhost: name, checksni }),
    next: nextHop,
  })
  return probeRoute(target, route, given)
}

/** @param route may throw Failure */
export async function probeRoute(target: Target, route: () => Route, given: Given): Promise<CheckResult> {
  const progress: Progress = { phase: 'connecting' }
  try {
    const { first, next } = route()
    const run = { tls: plainTlsSettings, ...given, target, progress }
    const start = { ...first, host: await literal(run, first.host) }
    return await follow({ ...run, next: (current, location) => next(start, current, location) }, start)
  } catch (error) {
    return failureOf(error, given.context.signal, progress.phase)
  }
}

async function follow(run: Run, first: Hop): Promise<CheckResult> {
  let hop = first
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(run, hop)
    if (!('location' in answer)) return answer
    if (redirects === MOST_REDIRECTS)
      return down('protocol', `more than ${MOST_REDIRECTS} redirects: ${answer.location}`)
    run.context.step(`redirected to ${answer.location}`)
    hop = run.next({ ...hop, host: answer.from }, answer.location)
  }
}

/** A redirect, and the address it came from. */
interface Redirect {
  readonly location: string
  readonly from: string
}

/** One hop. A reply that undici cannot read is asked for again and read by our own, lenient reader. */
async function ask(run: Run, hop: Hop): Promise<CheckResult | Redirect> {
  try {
    return await askOnce(run, hop, exchange)
  } catch (error) {
    if (!(error instanceof UnreadableReplyError)) throw error
    run.context.step(`not strictly HTTP (${error.message}): asking again, reading leniently`)
    return askOnce(run, hop, exchangeLeniently)
  }
}

async function askOnce(run: Run, hop: Hop, read: Exchange): Promise<CheckResult | Redirect> {
  const { socket, address } = await reach(run, hop)
  let connection: Socket = socket
  let reply: HttpReply | undefined
  try {
    if (hop.scheme === 'https') {
      enter(run, 'in the TLS handshake')
      const options = { ...run.tls, checksni: undefined }
      const parts = { options, virtualhost: hop.serverName, address, alpn: ['http/1.1'] }
      connection = await secure(socket, parts, run.context)
    }
    enter(run, 'waiting for the reply headers')
    const { path, hostHeader } = hop
    reply = await read(connection, { method: run.options.httpmethod, path, hostHeader })
    return await judge(run, reply, address)
  } finally {
    reply?.close()
    connection.destroy()
    socket.destroy()
  }
}

const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

async function judge(run: Run, reply: HttpReply, from: string): Promise<CheckResult | Redirect> {
  const { status, statusText, location } = reply
  run.context.step(statusText)
  if (redirecting.has(status) && location !== undefined && location !== '') return { location, from }
  if (status === 401 || status === 407) return down('auth', statusText)
  if (status < 200 || status > 299) return down('protocol', statusText)
  enter(run, 'reading the body')
  const result = await judgeBody(reply.body, run.options.receive, statusText)
  // a body without length ends where the connection does, also when it was the signal that ended it
  run.context.signal.throwIfAborted()
  return result
}
