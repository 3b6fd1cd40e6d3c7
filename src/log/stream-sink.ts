import { closeSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { type Clock, systemClock, type Timer } from '../lib/clock.ts'
import { codeOf, messageOf } from '../lib/errors.ts'
import { isSocket, openNonBlocking } from './descriptor.ts'
import { type Complain, type Line, type Sink, severityNumbers, watchLoss } from './sink.ts'

export interface StreamOptions {
  readonly fd: number
  /** For complaints: `standard output`. */
  readonly name: string
  format(line: Line): string
  readonly complain: Complain
  readonly clock?: Clock
}

const maxWaitingBytes = 1 << 20
const fullPauseMs = 50
const flushLimitMs = 1000

/**
 * Standard output or error. Node's own streams write to a pipe synchronously, so a reader who stops reading would
 * stop the daemon: here the rest waits, in bounds, and what is beyond them is dropped.
 */
export function openStreamSink(options: StreamOptions): Sink {
  const { format, complain, clock = systemClock } = options
  const loss = watchLoss(options.name, complain)
  const outlet = isSocket(options.fd) ? socketOutlet(options.fd) : descriptorOutlet(options.fd, clock)
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let waitingLines = 0
  let busy = false
  let closed = false
  let idle: (() => void)[] = []

  const settle = (): void => {
    busy = false
    const woken = idle
    idle = []
    for (const wake of woken) wake()
  }
  const pump = (): void => {
    if (waiting.length === 0) {
      settle()
      return
    }
    busy = true
    const bytes = Buffer.concat(waiting)
    const lines = waiting.length
    waiting = []
    outlet.send(bytes, (error) => {
      waitingBytes -= bytes.length
      waitingLines -= lines
      if (error !== undefined) loss.lost(messageOf(error), lines)
      else if (waiting.length === 0) loss.over()
      pump()
    })
  }
  const flush = async (): Promise<void> => {
    if (busy) await within(clock, (resolve) => idle.push(resolve))
  }
  return {
    write: (line) => {
      if (closed) return
      const bytes = Buffer.from(`${format(line)}\n`)
      if (waitingBytes + bytes.length > maxWaitingBytes) {
        loss.lost('nobody reads it')
        return
      }
      waiting.push(bytes)
      waitingBytes += bytes.length
      waitingLines += 1
      if (!busy) pump()
    },
    reopen: () => undefined,
    flush,
    close: async () => {
      if (closed) return
      closed = true
      await flush()
      loss.end(waitingLines)
      outlet.close()
    },
  }
}

function within(clock: Clock, wait: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer('log: flush', flushLimitMs, resolve)
    wait(() => {
      timer.cancel()
      resolve()
    })
  })
}

/** Sends one buffer after another; `done` may come before `send` returns. */
interface Outlet {
  send(bytes: Buffer, done: (error?: Error) => void): void
  close(): void
}

function descriptorOutlet(fd: number, clock: Clock): Outlet {
  const own = openNonBlocking(fd)
  let again: Timer | undefined
  const send: Outlet['send'] = (bytes, done) => {
    let rest = bytes
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(own ?? fd, rest))
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') again = clock.setTimer('log: output is full', fullPauseMs, () => send(rest, done))
      else done(error instanceof Error ? error : new Error(String(error)))
      return
    }
    done()
  }
  return {
    send,
    close: () => {
      // The number may soon be another file's.
      again?.cancel()
      if (own !== undefined) closeSync(own)
    },
  }
}

/** The journal's socket, or another program's. Its errors come to the writes as well, so the listener is idle. */
function socketOutlet(fd: number): Outlet {
  const socket = new Socket({ fd, readable: false, writable: true })
  socket.on('error', () => undefined)
  socket.unref()
  return {
    send: (bytes, done) => void socket.write(bytes, (error) => done(error ?? undefined)),
    close: () => undefined,
  }
}

/** The journal takes the severity from the front of the line and has its own clock. */
export function journalFormat(line: Line, words = line.text): string {
  return `<${severityNumbers[line.severity]}>${words}`
}
