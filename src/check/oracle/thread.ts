import { Worker } from 'node:worker_threads'
import { messageOf } from '../../lib/errors.ts'
import { Failure, LocalFailure } from '../failure.ts'
import { wordsOf } from './fault.ts'
import type { OracleMessage, OracleQuestion } from './messages.ts'

/** One thread is kept for the next probe: to start one and to load the driver takes about a tenth of a second. */
const mostIdle = 1
const idle: Worker[] = []

/** Enough for the driver and any health query; what a server sends beyond is its own fault. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 }

/**
 * Asks in a thread, which the signal ends with all that is in it, whatever the driver is busy with. Each message is
 * heard in turn; resolves after the last.
 *
 * @throws the signal's reason; Failure when an answer was more than the driver can bear; LocalFailure without a thread
 */
export async function askInThread(
  question: OracleQuestion,
  signal: AbortSignal,
  hear: (message: OracleMessage) => void,
): Promise<void> {
  signal.throwIfAborted()
  const worker = idle.pop() ?? start()
  worker.ref()
  let isSound = false
  try {
    isSound = endsInOrder(await exchange(worker, { question, signal, hear }))
  } finally {
    // By name: it has listeners of its own, without which it would hear nothing any more.
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
    if (isSound && idle.length < mostIdle) lay(worker)
    else await worker.terminate()
  }
}

/**
 * Only such a session leaves nothing behind in the driver; from one that was broken off, or that met garbage, a
 * rejection may still come that nobody handles, and would be taken for the next one's.
 */
function endsInOrder(last: OracleMessage): boolean {
  if (last.kind !== 'fault') return last.kind === 'left'
  const { code, system } = last.fault
  return system === 'ECONNREFUSED' || /^(?:ORA-\d+|NJS-51[189])$/.test(code)
}

/** Nothing of the environment: the driver reads wallets, names and time zones from there, and prints packets. */
function start(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { env: {}, stdout: true, stderr: true, resourceLimits })
}

/** Puts it aside; it keeps no process alive, and leaves the list if it ends. */
function lay(worker: Worker): void {
  const forget = (): void => {
    const at = idle.indexOf(worker)
    if (at >= 0) idle.splice(at, 1)
  }
  worker.on('error', forget).on('exit', forget)
  worker.unref()
  idle.push(worker)
}

interface Exchange {
  readonly question: OracleQuestion
  readonly signal: AbortSignal
  hear(message: OracleMessage): void
}

function exchange(worker: Worker, { question, signal, hear }: Exchange): Promise<OracleMessage> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      act()
    }
    worker.on('message', (message: OracleMessage) => {
      if (signal.aborted) return
      hear(message)
      if (message.kind !== 'step' && message.kind !== 'answer') settle(() => resolve(message))
    })
    worker.on('error', (error) => settle(() => reject(faultOfThread(error))))
    worker.on('exit', () => settle(() => reject(new LocalFailure('bug', 'the thread of the check ended by itself'))))
    worker.postMessage(question)
  })
}

/** Nothing runs in the thread but the driver, and what it does there is what the server has made it do. */
function faultOfThread(error: unknown): Error {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return new Failure('protocol', 'the answer has no end')
  if (code === 'ERR_WORKER_INIT_FAILED') return new LocalFailure('local-resource', 'no thread for the check')
  return new Failure('protocol', `not understood: ${wordsOf(messageOf(error))}`)
}
