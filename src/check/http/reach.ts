import { isIP, type Socket } from 'node:net'
import { codeOf } from '../../lib/errors.ts'
import { hostPort } from '../../model/service.ts'
import type { CheckContext, Target } from '../contract.ts'
import { dial, type Progress } from '../dial.ts'
import { Failure } from '../failure.ts'
import type { Hop } from './hop.ts'
import { lookUp } from './lookup.ts'

/** One probe on its way. */
export interface Journey {
  readonly target: Target
  readonly context: CheckContext
  readonly progress: Progress
}

export interface Reached {
  readonly socket: Socket
  readonly address: string
}

export function enter({ progress, context }: Journey, phase: string): void {
  progress.phase = phase
  context.step(phase)
}

/** The address of a host. @throws the signal's reason, or Failure */
export async function literal(journey: Journey, host: string): Promise<string> {
  if (isIP(host) !== 0) return host
  enter(journey, `looking up ${host}`)
  return lookUp(host, { family: journey.target.family, signal: journey.context.signal })
}

/** Connects: to the real server, and where a redirect led to a port it does not listen on, to the host that was named. */
export async function reach(journey: Journey, hop: Hop): Promise<Reached> {
  const { past, named, location } = hop
  if (past !== undefined) return reachOther(journey, hop, { host: hop.host, why: past })
  try {
    return await open(journey, hop.host, hop.port)
  } catch (error) {
    const code = codeOf(error) ?? ''
    const other = named !== undefined && named !== hop.host
    if (!other || !['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code)) throw error
    const why = `redirected to ${location}: the real server does not listen there`
    return reachOther(journey, hop, { host: named, why })
  }
}

/** Another host than the one that is checked. A redirect must not lead to a virtual service, which is several. */
async function reachOther(journey: Journey, hop: Hop, other: { host: string; why: string }): Promise<Reached> {
  const { context } = journey
  const { host, why } = other
  const address = await literal(journey, host)
  if (hop.location !== undefined && context.isVirtualAddress(address)) {
    const what = 'a virtual service of this director, which would report another server'
    throw new Failure('protocol', `${why}, and it is ${what}`)
  }
  context.warn(`${why}, so ${host} is asked instead`)
  return open(journey, address, hop.port)
}

async function open(journey: Journey, address: string, port: number): Promise<Reached> {
  enter(journey, 'connecting')
  journey.context.step(`to ${hostPort(address, port)}`)
  return { socket: await dial({ address, port }, journey.context.signal), address }
}
