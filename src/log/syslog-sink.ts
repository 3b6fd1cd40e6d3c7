import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { type Clock, systemClock } from '../lib/clock.ts'
import { messageOf } from '../lib/errors.ts'
import { facilityNumber } from '../lib/facility.ts'
import { printable } from '../lib/printable.ts'
import { type Complain, type Line, nowhere, type Sink, severityNumbers, watchLoss } from './sink.ts'
import type { Severity } from './wording.ts'

export interface SyslogOptions {
  /** `local0`, `daemon` …: the facilities of logger(1). */
  readonly facility: string
  readonly pid: number
  readonly complain: Complain
  readonly clock?: Clock
  /** The words alone when absent. */
  readonly format?: (line: Line) => string
  /** The program and its leading arguments; for tests. */
  readonly command?: readonly string[]
}

const maxWaitingBytes = 1 << 20
const restartPauseMs = 1000
const closeLimitMs = 1000

/**
 * Syslog through one `logger` child, for Node has no Unix datagram sockets. Lines are data on its standard input, never
 * a format (defect D23). When it exits another is started, at most one a second; lines of the gap wait, in bounds.
 */
export function openSyslogSink(options: SyslogOptions): Sink {
  const { complain, clock = systemClock, format = ({ text }: Line): string => text } = options
  const number = facilityNumber(options.facility)
  if (number === undefined) {
    complain(`ldirectord-ng: no syslog facility ${printable(options.facility)}; nothing is logged there`)
    return nowhere
  }
  const loss = watchLoss(`syslog ${options.facility}`, complain)
  let child: Child | undefined
  let notBefore = Number.NEGATIVE_INFINITY
  let waiting: string[] = []
  let waitingBytes = 0
  let restart: { cancel(): void } | undefined
  let closed = false

  const drop = (): void => {
    loss.lost('logger does not keep up', waiting.length)
    waiting = []
    waitingBytes = 0
  }
  const pump = (): void => {
    restart = undefined
    if (waiting.length === 0) return
    if (child === undefined) {
      const pauseMs = notBefore - clock.monotonic()
      if (pauseMs > 0) {
        restart = clock.setTimer('log: start logger again', pauseMs, pump)
        return
      }
      notBefore = clock.monotonic() + restartPauseMs
      child = startLogger(options, (reason, lost) => {
        child = undefined
        if (lost > 0) loss.lost(`logger ${reason}`, lost)
        if (!closed) complain(`ldirectord-ng: logger: ${reason}; starting it again`)
      })
    }
    if (child.waitingBytes() + waitingBytes > maxWaitingBytes) {
      drop()
      return
    }
    child.send(waiting.join(''), waiting.length)
    waiting = []
    waitingBytes = 0
    loss.over()
  }
  return {
    write: (line: Line) => {
      if (closed) return
      const text = `<${number * 8 + severityNumbers[syslogSeverity(line)]}>${format(line)}\n`
      if (waitingBytes + text.length > maxWaitingBytes) {
        loss.lost('it does not keep up')
        return
      }
      waiting.push(text)
      waitingBytes += text.length
      if (restart === undefined) pump()
    },
    reopen: () => undefined,
    flush: () => child?.drained(clock) ?? Promise.resolve(),
    close: async () => {
      closed = true
      restart?.cancel()
      await child?.end(clock)
      loss.end(waiting.length + (child?.waitingLines() ?? 0))
    },
  }
}

/** Perl ldirectord has info for all it says (behaviour reference 5.4) and rules match on that; only faults stand out. */
function syslogSeverity({ severity }: Line): Severity {
  return severity === 'error' ? 'error' : 'info'
}

interface Child {
  send(text: string, lines: number): void
  waitingBytes(): number
  /** Those of them that it has not taken yet. */
  waitingLines(): number
  /** Resolves when it has taken all, or does not. */
  drained(clock: Clock): Promise<void>
  end(clock: Clock): Promise<void>
}

function startLogger(
  { pid, command = ['logger'] }: SyslogOptions,
  onExit: (reason: string, lost: number) => void,
): Child {
  const [program = 'logger', ...leading] = command
  const args = [...leading, '--prio-prefix', '--tag', 'ldirectord', `--id=${pid}`, '--size', '8192']
  // Its own session, so that a Ctrl-C meant for us leaves it alive for our last lines.
  const child: ChildProcessByStdio<Writable, null, null> = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  let gone = false
  let unsent = 0
  const ended = new Promise<void>((resolve) => {
    const end = (reason: string): void => {
      if (gone) return
      gone = true
      onExit(reason, unsent)
      resolve()
    }
    child.on('error', (error) => end(messageOf(error)))
    child.on('exit', (code, signal) => end(`exited (${signal ?? code})`))
    // Its exit tells; a broken pipe is only the first sign of it.
    child.stdin.on('error', () => undefined)
  })
  child.unref()
  return {
    send: (text, lines) => {
      unsent += lines
      child.stdin.write(text, (error) => {
        if (!error) unsent -= lines
      })
    },
    waitingBytes: () => child.stdin.writableLength,
    waitingLines: () => unsent,
    drained: (clock) => bounded(clock, ended, (done) => child.stdin.write('', done)),
    end: async (clock) => {
      child.ref()
      await bounded(clock, ended, () => child.stdin.end())
      if (!gone) child.kill('SIGKILL')
    },
  }
}

function bounded(clock: Clock, ended: Promise<void>, begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer('log: wait for logger', closeLimitMs, resolve)
    const done = (): void => {
      timer.cancel()
      resolve()
    }
    void ended.then(done)
    begin(done)
  })
}
