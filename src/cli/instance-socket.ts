import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { type Answer, type Ask, askDaemon } from '../api/client.ts'
import { socketDirectoryOf, socketPathOf } from '../api/socket-path.ts'
import { defaultInstance, instanceOf } from '../control/process/instance.ts'
import { OperatorError, UsageError } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import type { CliContext } from './context.ts'

/**
 * The socket of the instance a verb means: of `--config`; else of the default instance; else of the only one there is.
 * Throws UsageError when there are several to choose from.
 */
export function findSocket(config: string | undefined, directory: string = socketDirectoryOf()): string {
  if (config !== undefined) return socketPathOf(instanceOf(config), directory)
  const there = socketsIn(directory)
  const usual = `${defaultInstance}.sock`
  const [only, ...more] = there.includes(usual) ? [usual] : there
  if (more.length === 0) return socketPathOf(basename(only ?? usual, '.sock'), directory)
  const names = there.map((name) => printable(basename(name, '.sock'))).join(', ')
  throw new UsageError(`several instances run: say which with --config (${names})`)
}

function socketsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.sock'))
  } catch {
    // Nobody has run yet, or this account may not look: the question itself tells.
    return []
  }
}

/** Asks the daemon and gives its answer when it is good; what it refuses becomes an OperatorError with its sentence. */
export async function steer<Body>(context: CliContext, config: string | undefined, ask: Ask): Promise<Body> {
  const answer = await askDaemon({ clock: context.clock, socket: findSocket(config) }, ask)
  if (answer.status === 200) return answer.body as Body
  throw new OperatorError(refusalText(answer))
}

/** The daemon's sentence, and what there is to choose from, one a line. */
export function refusalText({ status, body }: Answer): string {
  const { error, choices } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const lines = Array.isArray(choices) ? choices.map((choice) => `  ${String(choice)}`) : []
  return [typeof error === 'string' ? error : `the daemon answered ${status}`, ...lines].join('\n')
}
