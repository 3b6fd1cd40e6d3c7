import winston from 'winston'
import Transport from 'winston-transport'
import { messageOf } from '../lib/errors.ts'
import type { Complain, Line, Sink } from './sink.ts'

/** Lines in, sinks out. The only file that knows winston. */
export interface Logger {
  write(line: Line): void
  close(): void
}

export function makeLogger(sinks: readonly Sink[], complain: Complain): Logger {
  const logger = winston.createLogger({
    levels: winston.config.syslog.levels,
    level: 'debug',
    // Every sink has a form of its own; winston's JSON would be made for nothing.
    format: winston.format((info) => info)(),
    transports: sinks.map((sink) => new SinkTransport(sink)),
    exitOnError: false,
  })
  // Without a listener a transport's fault would end the process.
  logger.on('error', (error: unknown) => complain(`ldirectord-ng: log: ${messageOf(error)}`))
  return {
    write: ({ severity, text, at, event }) => void logger.log({ level: severity, message: text, at, event }),
    close: () => void logger.end(),
  }
}

interface Info {
  readonly level: Line['severity']
  readonly message: string
  readonly at: number
  readonly event: Line['event']
}

class SinkTransport extends Transport {
  readonly #sink: Sink

  constructor(sink: Sink) {
    super()
    this.#sink = sink
  }

  override log(info: Info, done: () => void): void {
    this.#sink.write({ severity: info.level, text: info.message, at: info.at, event: info.event })
    done()
  }
}
