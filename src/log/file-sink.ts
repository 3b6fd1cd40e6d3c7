import { type BigIntStats, closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { type Complain, type Line, type Sink, watchLoss } from './sink.ts'

/**
 * Appends to a file, one write a line. Before each line the path is looked at: after logrotate's rename, or when the
 * file was deleted, a new one is begun without any signal, as Perl ldirectord's did (behaviour reference 5.4).
 */
export function openFileSink(path: string, format: (line: Line) => string, complain: Complain): Sink {
  const loss = watchLoss(printable(path), complain)
  const file = openAppender(path)
  return {
    write: (line) => {
      try {
        file.append(format(line))
      } catch (error) {
        file.close()
        loss.lost(printable(messageOf(error)))
        return
      }
      const count = loss.over()
      if (count > 0)
        mendGap(() =>
          file.append(
            format({ severity: 'warning', at: line.at, text: `${count} log lines before this one were lost` }),
          ),
        )
    },
    reopen: () => file.close(),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(file.close()),
  }
}

/** The remark is worth less than the line itself: when it can not be written, the next failure tells. */
function mendGap(append: () => void): void {
  try {
    append()
  } catch {
    // Told on standard error already.
  }
}

interface Appender {
  /** Throws the system's error; then the file is to be closed, and the next call opens it again. */
  append(text: string): void
  close(): void
}

interface Open {
  readonly fd: number
  readonly dev: bigint
  readonly ino: bigint
}

function openAppender(path: string): Appender {
  let open: Open | undefined
  /** The file whose last line is a stump, because the disk filled up in its middle. */
  let torn: bigint | undefined
  const close = (): void => {
    if (open !== undefined) closeQuietly(open.fd)
    open = undefined
  }
  return {
    close,
    append: (text) => {
      if (open !== undefined && !isStillAt(path, open)) close()
      open ??= openForAppend(path)
      const bytes = Buffer.from(torn === open.ino ? `\n${text}\n` : `${text}\n`)
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(open.fd, bytes, done)
        torn = done < bytes.length ? open.ino : undefined
      }
    },
  }
}

/** Non-blocking: a FIFO without a reader is an error and not a daemon that stands still. */
function openForAppend(path: string): Open {
  const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o644)
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return { fd, dev, ino }
}

function isStillAt(path: string, open: Open): boolean {
  const there: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false })
  return there !== undefined && there.dev === open.dev && there.ino === open.ino
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // A descriptor that can not be closed holds nothing any more (close(2), EIO).
  }
}
