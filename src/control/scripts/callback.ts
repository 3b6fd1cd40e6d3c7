import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Clock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Tell } from '../../model/events.ts'
import type { Companion } from '../companion.ts'
import { type RunScript, type ScriptEnd, shellRunner } from './script.ts'

export interface CallbackPorts {
  readonly clock: Clock
  readonly tell: Tell
  readonly run?: RunScript
}

const stopWithinMs = 2_000

/**
 * `callback`: runs with the whole path of the configuration after its content has changed, and after the reload where
 * there is one; the value then in force counts (behaviour reference 5.5). One at a time; changes while it runs make one more.
 */
export function createCallback({ clock, tell, run = shellRunner(clock) }: CallbackPorts): Companion {
  const ended = new AbortController()
  let program: string | undefined
  let wanted: string | undefined
  let running: Promise<void> | undefined

  const tellOne = async (callback: string, file: string): Promise<void> => {
    const end = await callbackRun({ callback, file, run }, ended.signal)
    const kind = end.ok ? 'script-ended' : 'script-failed'
    tell({ kind, script: 'callback', subject: printable(callback), detail: end.detail })
  }
  const pump = async (): Promise<void> => {
    while (wanted !== undefined && program !== undefined && !ended.signal.aborted) {
      const file = wanted
      wanted = undefined
      await tellOne(program, file)
    }
  }
  return {
    name: 'callback',
    onConfig: ({ globals }) => {
      program = globals.callback
    },
    onFileChanged: (file) => {
      if (program === undefined || ended.signal.aborted) return
      wanted = file
      running ??= pump().finally(() => {
        running = undefined
      })
    },
    stop: async () => {
      wanted = undefined
      const timer = clock.setTimer('callback: last run', stopWithinMs, () => ended.abort())
      await running
      timer.cancel()
      ended.abort()
    },
  }
}

interface CallbackRun {
  readonly callback: string
  readonly file: string
  readonly run: RunScript
}

/** The shell is there for a script without `#!`; both paths are handed over whole, blanks and all. */
async function callbackRun({ callback, file, run }: CallbackRun, signal: AbortSignal): Promise<ScriptEnd> {
  try {
    await access(callback, constants.X_OK)
    if (!(await stat(callback)).isFile()) return { ok: false, detail: 'it is no program' }
  } catch (error) {
    return { ok: false, detail: `it cannot be executed: ${printable(messageOf(error))}` }
  }
  return await run({ text: '"$0" "$1"', args: [callback, file] }, signal)
}
