import { type Clock, systemClock } from '../lib/clock.ts'
import { ctime } from '../lib/ctime.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { version } from '../lib/version.ts'
import type { Tell } from '../model/events.ts'
import { isJournal } from './descriptor.ts'
import { openFileSink } from './file-sink.ts'
import { makeLogger } from './logger.ts'
import { type Complain, complainOnStderr, type Line, nowhere, type Sink } from './sink.ts'
import { journalFormat, openStreamSink } from './stream-sink.ts'
import { openSyslogSink } from './syslog-sink.ts'
import { wordEvent } from './wording.ts'

export interface LogOptions {
  /** `logfile=` of the configuration: starts with `/`, a file; else a syslog facility. */
  readonly logfile: string
  /** Instance name for the file's lines (behaviour reference 1.3). */
  readonly instance: string
  /** Where `logfile` says. */
  readonly toFile: boolean
  readonly toStdout: boolean
  /** `-d`: the bare messages on standard error. */
  readonly toStderr?: boolean
  readonly pid?: number
  readonly clock?: Clock
  readonly complain?: Complain
  readonly env?: NodeJS.ProcessEnv
  /** Descriptor of standard output; for tests. */
  readonly stdout?: number
}

export interface Log {
  /** Words an event and writes its lines. Never throws, never waits. */
  readonly tell: Tell
  /** Another `logfile` after a reload; lines before it are in the old one. Nothing happens when it is the same. */
  retarget(logfile: string): void
  reopen(): void
  /** Resolves when all lines are out, or after a second. */
  flush(): Promise<void>
  close(): Promise<void>
}

export function createLog(options: LogOptions): Log {
  const { instance, pid = process.pid, clock = systemClock, complain = complainOnStderr, env = process.env } = options
  const stdout = options.stdout ?? 1
  const label = printable(instance)
  const speaker = { pid, version: `${version}-ng` }
  const plain = (line: Line): string => `[${ctime(line.at)}] ${line.text}`
  const inFile = (line: Line): string => `[${ctime(line.at)}|${label}|${pid}] ${line.text}`

  const open = (logfile: string): Sink => {
    if (!options.toFile) return nowhere
    if (logfile.startsWith('/')) return openFileSink(logfile, inFile, complain)
    return openSyslogSink({ facility: logfile, pid, complain, clock })
  }
  const target = openTarget(options.logfile, open)
  const sinks: Sink[] = [target]
  if (options.toStdout) {
    const format = isJournal(stdout, env) ? journalFormat : plain
    sinks.push(openStreamSink({ fd: stdout, name: 'standard output', format, complain, clock }))
  }
  if (options.toStderr === true) {
    const format = (line: Line): string => line.text
    sinks.push(openStreamSink({ fd: 2, name: 'standard error', format, complain, clock }))
  }
  const logger = makeLogger(sinks, complain)
  let closed = false
  return {
    tell: (event) => {
      if (closed) return
      try {
        const { severity, lines } = wordEvent(event, speaker)
        for (const text of lines) logger.write({ severity, text, at: clock.now() })
      } catch (error) {
        complain(`ldirectord-ng: log: ${printable(messageOf(error))}`)
      }
    },
    retarget: (logfile) => target.retarget(logfile),
    reopen: () => target.reopen(),
    flush: async () => void (await Promise.all(sinks.map((sink) => sink.flush()))),
    close: async () => {
      if (closed) return
      closed = true
      logger.close()
      await Promise.all(sinks.map((sink) => sink.close()))
    },
  }
}

/** The one sink that can change while the daemon runs. */
function openTarget(first: string, open: (logfile: string) => Sink): Sink & { retarget(logfile: string): void } {
  let logfile = first
  let sink = open(first)
  return {
    write: (line) => sink.write(line),
    reopen: () => sink.reopen(),
    flush: () => sink.flush(),
    close: () => sink.close(),
    retarget: (next) => {
      if (next === logfile) return
      void sink.close()
      logfile = next
      sink = open(next)
    },
  }
}
