import type { TableBackend } from '../../table/operation.ts'
import { applyPlan } from './batch.ts'
import { readTable } from './read.ts'
import { newSession } from './session.ts'
import { createNetlinkTransport, type Transport } from './transport.ts'

const defaultAnswerMs = 5_000

export interface KernelTableOptions {
  /** How long the kernel may be silent before an exchange has failed. */
  readonly answerWithinMs?: number
  readonly transport?: Transport
}

/**
 * The IPVS table of this network namespace, over generic netlink. Opening never fails: where there is no IPVS, or no
 * permission, the first read says so with a TableError.
 */
export async function openKernelTable(options: KernelTableOptions = {}): Promise<TableBackend> {
  const transport = options.transport ?? createNetlinkTransport(options.answerWithinMs ?? defaultAnswerMs)
  const inTurn = createTurns()
  return {
    read: (ours, signal) => inTurn(() => readTable(newSession(transport, signal), ours)),
    apply: (plan, signal) => inTurn(() => applyPlan(newSession(transport, signal), plan)),
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
