import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readText, root } from './sources.ts'

const load = (name: string) => import(new URL(`test/tools/${name}`, root).href)

describe('what `npm test --` is asked for', () => {
  const cases: readonly [words: string, stages: string, mochaArgs: string, build: boolean][] = [
    ['', 'unit servers lab', '', true],
    ['--grep dns', 'unit servers', '--grep dns', true],
    ['--lab --grep dns', 'lab', '--grep dns', true],
    ['--unit --built', 'unit', '', false],
    ['--servers --lab', 'servers lab', '', true],
    ['test/kernel/packets.test.ts', 'unit servers lab', '', true],
    ['./test/lib --bail', 'unit servers lab', '--bail', true],
  ]
  for (const [words, stages, mochaArgs, build] of cases) {
    it(`'${words}' runs ${stages}${build ? '' : ' without a build'}`, async () => {
      const { parseRequest } = await load('request.mjs')
      const request = parseRequest(words.split(' ').filter((word) => word !== ''))
      assert.deepEqual(
        [request.stages.join(' '), request.mochaArgs.join(' '), request.build, request.whole],
        [stages, mochaArgs, build, words === ''],
      )
    })
  }

  it('finds emitted tests by source, by emitted file and by folder', async () => {
    const { choose } = await load('request.mjs')
    const files = ['dist/test/lib/ip.test.js', 'dist/test/lib/clock.test.js', 'dist/test/library.test.js']
    assert.deepEqual(choose(files, []), files)
    assert.deepEqual(choose(files, ['test/lib/ip.test.ts']), files.slice(0, 1))
    assert.deepEqual(choose(files, ['./dist/test/lib/ip.test.js']), files.slice(0, 1))
    assert.deepEqual(choose(files, ['test/lib']), files.slice(0, 2))
    assert.deepEqual(choose(files, ['test/lib/', 'test/library.test.ts']), files)
    assert.deepEqual(choose(files, ['test/li']), [])
  })
})

describe('the totals of a stage', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ldng-totals-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('are what the reporter wrote', async () => {
    const { readTotals, wordTotals } = await load('totals.mjs')
    const file = join(folder, 'totals.json')
    const written = { passed: 2, failed: 1, skipped: [{ title: 'one', reason: 'none' }] }
    writeFileSync(file, JSON.stringify(written))
    assert.deepEqual(readTotals(file, 'ended with 1'), written)
    assert.equal(wordTotals(written), '2 passed, 1 failed, 1 skipped')
  })

  it('count a run without a report, and a bad end after good tests, as a failure', async () => {
    const { readTotals } = await load('totals.mjs')
    const file = join(folder, 'totals.json')
    assert.deepEqual(readTotals(file, ''), { passed: 0, failed: 1, skipped: [] })
    writeFileSync(file, JSON.stringify({ passed: 2, failed: 0, skipped: [] }))
    assert.deepEqual(readTotals(file, 'ended with SIGABRT'), { passed: 2, failed: 1, skipped: [] })
  })
})

describe('CI', () => {
  it('runs the test command of the README to the letter', () => {
    assert.match(readText('README.md'), /`?npm ci && npm test`?/)
    assert.match(readText('.ci/run'), /\(npm ci && npm test\)/)
  })
})
