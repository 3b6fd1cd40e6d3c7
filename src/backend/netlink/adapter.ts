import type { IpvsTable } from '../../table/details.ts'
import { applyPlan } from './batch.ts'
import { connectionsFile, readConnections } from './connections.ts'
import { readDetails, readInfo, readTimeouts, writeTimeouts } from './details.ts'
import { readTable } from './read.ts'
import { lookUpFamily, newSession } from './session.ts'
import { createNetlinkTransport, type Transport } from './transport.ts'

const defaultAnswerMs = 5_000

export interface KernelTableOptions {
  /** How long the kernel may be silent before an exchange has failed. */
  readonly answerWithinMs?: number
  readonly transport?: Transport
  /** Where the kernel lists its connections. */
  readonly connectionsFile?: string
}

/**
 * The IPVS table of this network namespace, over generic netlink. Opening never fails: where there is no IPVS, or no
 * permission, the first read says so with a TableError.
 */
export async function openKernelTable(options: KernelTableOptions = {}): Promise<IpvsTable> {
  const transport = options.transport ?? createNetlinkTransport(options.answerWithinMs ?? defaultAnswerMs)
  const listed = options.connectionsFile ?? connectionsFile
  const inTurn = createTurns()
  return {
    read: (ours, signal) => inTurn(() => readTable(newSession(transport, signal), ours)),
    apply: (plan, signal) => inTurn(() => applyPlan(newSession(transport, signal), plan)),
    details: (signal) => inTurn(() => readDetails(newSession(transport, signal))),
    timeouts: (signal) => inTurn(() => readTimeouts(newSession(transport, signal))),
    setTimeouts: (timeouts, signal) => inTurn(() => writeTimeouts(newSession(transport, signal), timeouts)),
    connections: async (query, signal) => {
      // Loads the module, without which there is no list, or says that there is none.
      await inTurn(() => lookUpFamily(newSession(transport, signal)))
      return await readConnections(listed, query, signal)
    },
    info: (signal) => inTurn(() => readInfo(newSession(transport, signal))),
    close: async () => transport.close(),
  }
}

/** A dump during which we write is not to be trusted, and two dumps on one socket refuse each other: one at a time. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}
