import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { CliContext } from '../../src/cli/context.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { temporaryFolder } from '../log/temporary.ts'

const signals = [
  'SIGHUP',
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGUSR1',
  'SIGUSR2',
] as const

describe('A daemon that is being started', () => {
  const folder = temporaryFolder()
  let before: Map<string, readonly unknown[]>
  beforeEach(() => {
    before = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
  })
  afterEach(() => {
    for (const signal of signals) {
      for (const listener of process.listeners(signal)) {
        if (before.get(signal)?.includes(listener) !== true) process.removeListener(signal, listener)
      }
    }
  })

  it('catches a reload and its end before it reads its file', async () => {
    const config = folder.path('a.cf')
    writeFileSync(config, 'bad\n')
    const caught: number[] = []
    const count = (): number[] =>
      (['SIGHUP', 'SIGTERM'] as const).map((s) => process.listeners(s).length - (before.get(s)?.length ?? 0))
    const context = {
      clock: systemClock,
      out: () => undefined,
      err: () => undefined,
      load: async (file: string) => {
        caught.push(...count())
        const at = { file, line: 1, column: 1, length: 3 }
        return {
          config: undefined,
          text: 'bad',
          diagnostics: [{ severity: 'error', code: 'value', message: 'bad', at }],
        }
      },
    } as unknown as CliContext
    const command = { verb: 'run', config, table: 'memory', log: 'stdout' } as const
    assert.equal(await dispatch(context, command, { script: 'ldirectord-ng', args: [] }), 2)
    assert.deepEqual(caught, [1, 1])
  })
})
