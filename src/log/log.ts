import { type Clock, systemClock } from '../lib/clock.ts'
import { ctime } from '../lib/ctime.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { version } from '../lib/version.ts'
import type { Tell } from '../model/events.ts'
import { isJournal } from './descriptor.ts'
import { openFileSink } from './file-sink.ts'
import { jsonLine } from './json-line.ts'
import { makeLogger } from './logger.ts'
import { type Complain, complainOnStderr, type Line, nowhere, type Sink } from './sink.ts'
import { journalFormat, openStreamSink } from './stream-sink.ts'
import { openSyslogSink } from './syslog-sink.ts'
import { wordEvent } from './wording.ts'

/** What the configuration says of the log. */
export interface LogTarget {
  /** Starts with `/`: a file; else a syslog facility. */
  readonly logfile: string
  /** Of everything but `-d`; text when absent. */
  readonly logFormat?: 'text' | 'json'
}

export interface LogOptions extends LogTarget {
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
  /** After a reload. Lines before it are in the old file; the same file stays open. */
  retarget(to: LogTarget): void
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
  let { logFormat = 'text' } = options
  const isJson = (): boolean => logFormat === 'json' && options.toStderr !== true
  const inForm = (text: (line: Line) => string): ((line: Line) => string) => {
    return (line) => (isJson() ? jsonLine(line, { instance, pid }) : text(line))
  }
  const bare = ({ text }: Line): string => text
  const plain = inForm((line) => `[${ctime(line.at)}] ${line.text}`)
  const inFile = inForm((line) => `[${ctime(line.at)}|${label}|${pid}] ${line.text}`)
  const inJournal = (line: Line): string => journalFormat(line, inForm(bare)(line))

  const open = (logfile: string): Sink => {
    if (!options.toFile) return nowhere
    if (logfile.startsWith('/')) return openFileSink(logfile, inFile, complain)
    return openSyslogSink({ facility: logfile, pid, complain, clock, format: inForm(bare) })
  }
  const target = openTarget(options.logfile, open)
  const sinks: Sink[] = [target]
  if (options.toStdout) {
    const format = isJournal(stdout, env) ? inJournal : plain
    sinks.push(openStreamSink({ fd: stdout, name: 'standard output', format, complain, clock }))
  }
  if (options.toStderr === true) {
    sinks.push(openStreamSink({ fd: 2, name: 'standard error', format: bare, complain, clock }))
  }
  const logger = makeLogger(sinks, complain)
  let closed = false
  return {
    tell: (event) => {
      if (closed) return
      try {
        const { severity, lines } = wordEvent(event, speaker)
        const at = clock.now()
        if (isJson()) logger.write({ severity, text: lines.join('\n'), at, event })
        else for (const text of lines) logger.write({ severity, text, at })
      } catch (error) {
        complain(`ldirectord-ng: log: ${printable(messageOf(error))}`)
      }
    },
    retarget: (to) => {
      logFormat = to.logFormat ?? 'text'
      target.retarget(to.logfile)
    },
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
