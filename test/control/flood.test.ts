import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { createMemoryTable } from '../../src/backend/memory.ts'
import type { Real } from '../../src/config/model.ts'
import { createDirector } from '../../src/control/director.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/log/log.ts'
import type { Event } from '../../src/model/events.ts'
import { temporaryFolder } from '../log/temporary.ts'
import { heldBytes } from '../tools/memory.ts'
import { bad, configOf, createStage, good, vip, virtual } from './stage.ts'

const failing = 5_000
const linesASecond = 2 * failing

describe('a director with 5,000 failing real servers, which log 10,000 lines a second', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()

  it('takes a good one out when it fails and in again, with a log file and a standard output that nobody reads', async () => {
    spawnSync('mkfifo', [folder.path('pipe')])
    const reader = openSync(folder.path('pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(folder.path('pipe'), constants.O_WRONLY)
    const complaints: string[] = []
    const log = createLog({
      logfile: folder.path('log'),
      instance: 'a.cf',
      toFile: true,
      toStdout: true,
      stdout: writer,
      complain: (text) => void complaints.push(text),
    })
    const { real, answers } = createStage()
    const crowd = Array.from({ length: failing }, (_, n): Real => real(`10.0.${n >> 8}.${n & 255}`))
    for (const { host } of crowd) answers.set(host, bad)
    const watched = real('192.0.2.20')

    let lines = 0
    let waitingFor: { kind: Event['kind']; done: () => void } | undefined
    const until = (kind: Event['kind']): Promise<void> => new Promise((done) => (waitingFor = { kind, done }))
    const director = createDirector({
      backend: createMemoryTable(),
      clock: systemClock,
      concurrency: 1000,
      tell: (event) => {
        log.tell(event)
        if (event.kind === 'soft-failure') lines += 2
        if (event.kind === waitingFor?.kind) waitingFor.done()
      },
    })
    const every = { checkIntervalMs: 1000, initState: 'up' } as const
    const config = configOf([
      virtual({ ...every, reals: crowd, failureCount: 100_000 }),
      virtual({ ...every, id: { ...vip, port: 81 }, reals: [watched], fallback: '192.0.2.30' }),
    ])
    try {
      await director.start(config)
      const flooded = (): Promise<void> => waitFor(() => lines >= linesASecond)
      await flooded()
      const before = heldBytes()
      lines = 0
      // The flood is the clock here: on a busy machine its seconds are long, and so may be those of the director.
      const out = until('real-deleted')
      answers.set('192.0.2.20', bad)
      await out
      assert.ok(lines < 3 * linesASecond, `${lines} lines until it was out`)
      lines = 0
      const back = until('real-added')
      answers.set('192.0.2.20', good)
      await back
      assert.ok(lines < 3 * linesASecond, `${lines} lines until it was in again`)
      const held = heldBytes() - before
      assert.ok(held < 16 << 20, `${held} bytes are held more than before`)
      assert.equal(complaints.length, 1)
      assert.match(complaints[0] ?? '', /standard output: nobody reads it; log lines are dropped/)
    } finally {
      await director.stop()
      await log.close()
      closeSync(reader)
      closeSync(writer)
    }
    assert.match(complaints.join('\n'), /standard output: \d+ log lines were lost at the end/)
  })
})

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}
