import { hostname } from 'node:os'
import { checks } from '../checks/index.ts'
import { createMemoryTable } from './backend/memory.ts'
import { makeRegistry } from './check/registry.ts'
import { parseCommandLine } from './cli/arguments.ts'
import { type CliContext, exitCode } from './cli/context.ts'
import { dispatch } from './cli/dispatch.ts'
import { perlExit } from './cli/read-config.ts'
import { type LoadDeps, loadConfig } from './config/load.ts'
import { systemLookup } from './config/names.ts'
import { readServices } from './config/services.ts'
import { systemClock } from './lib/clock.ts'
import { messageOf, OperatorError, UsageError } from './lib/errors.ts'
import { printable } from './lib/printable.ts'

/** The composition root: the only file that knows both the list of checks and the way to the kernel. */
export async function main(argv: readonly string[]): Promise<number> {
  const [, script = 'ldirectord-ng', ...args] = argv
  const ended = new AbortController()
  const context = contextFor(ended.signal)
  try {
    const command = parseCommandLine(args)
    if (command.verb === 'check' || command.verb === 'plan' || command.verb === 'demo') endOnSignal(ended)
    return await dispatch(context, command, { script, args })
  } catch (error) {
    if (error instanceof UsageError) {
      context.err(`ldirectord-ng: ${printable(error.message)}\nldirectord-ng --help shows how it is called.\n`)
      return exitCode.usage
    }
    if (error instanceof OperatorError) {
      // Of several lines when there is something to choose from.
      context.err(
        `ldirectord-ng: ${error.message
          .split('\n')
          .map((line) => printable(line))
          .join('\n')}\n`,
      )
      return perlExit.failed
    }
    context.err(`ldirectord-ng: internal error\n${error instanceof Error ? error.stack : messageOf(error)}\n`)
    return exitCode.bug
  }
}

function contextFor(signal: AbortSignal): CliContext {
  const registry = makeRegistry(checks)
  return {
    clock: systemClock,
    registry,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    openTable: async (kind) => {
      if (kind === 'memory') return createMemoryTable()
      // Loaded on use: `status`, which a cluster manager asks every few seconds, does without.
      const { openKernelTable } = await import('./backend/netlink/adapter.ts')
      return await openKernelTable()
    },
    load: (file, last) => loadConfig(file, loadDeps(registry), last?.book),
    signal,
  }
}

function loadDeps(registry: LoadDeps['registry']): LoadDeps {
  return { registry, services: readServices(), hostname: process.env['HOSTNAME'] ?? hostname(), lookup: systemLookup }
}

/** The one-shot verbs end early and cleanly on Ctrl-C; the daemon has its own signals. */
function endOnSignal(ended: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
}
