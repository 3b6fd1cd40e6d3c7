import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createLineFiles, type LineFiles } from '../../../src/control/monitor/line-files.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'

describe('files that lines are appended to', () => {
  const folder = temporaryFolder()
  const told: string[] = []
  let files: LineFiles
  beforeEach(() => {
    told.length = 0
    files = createLineFiles({
      clock: systemClock,
      onTrouble: (file, reason) => told.push(`${file}: ${reason}`),
      onWorks: (file, lost) => told.push(`${file} works, lost ${lost}`),
    })
  })
  const text = (name: string): string => readFileSync(folder.path(name), 'utf8')

  it('have every line, in order, each file its own', async () => {
    for (let n = 0; n < 500; n++) files.append(folder.path(n % 2 === 0 ? 'even' : 'odd'), `line ${n}`)
    await files.flush()
    const numbers = Array.from({ length: 250 }, (_, n) => n * 2)
    assert.equal(text('even'), numbers.map((n) => `line ${n}\n`).join(''))
    assert.equal(text('odd'), numbers.map((n) => `line ${n + 1}\n`).join(''))
    assert.deepEqual(told, [])
  })

  it('are followed over a rename without a signal', async () => {
    files.append(folder.path('a'), 'one')
    await files.flush()
    renameSync(folder.path('a'), folder.path('a.1'))
    files.append(folder.path('a'), 'two')
    await files.flush()
    assert.deepEqual([text('a.1'), text('a')], ['one\n', 'two\n'])
  })

  it('are missed once while their folder is away, and used again when it is back', async () => {
    const file = folder.path('sub/a')
    for (const line of ['one', 'two']) {
      files.append(file, line)
      await files.flush()
    }
    mkdirSync(folder.path('sub'))
    files.append(file, 'three')
    await files.flush()
    rmSync(folder.path('sub'), { recursive: true })
    files.append(file, 'four')
    await files.flush()
    const trouble = `${file}: ENOENT: no such file or directory, open '${file}'`
    assert.deepEqual(told, [trouble, `${file} works, lost 2`, trouble])
  })

  it('do not stop anybody when the disk is full', async () => {
    files.append('/dev/full', 'one')
    files.append(folder.path('a'), 'two')
    await files.flush()
    files.append('/dev/full', 'three')
    await files.flush()
    assert.deepEqual(told, ['/dev/full: ENOSPC: no space left on device, write'])
    assert.equal(text('a'), 'two\n')
  })

  it('are refused at once when nobody reads the pipe in their place, or when they are a folder', async () => {
    execFileSync('mkfifo', [folder.path('pipe')])
    files.append(folder.path('pipe'), 'one')
    files.append(folder.path('.'), 'two')
    await files.flush()
    assert.deepEqual(
      told.map((line) => line.replace(/^.*: (E[A-Z]+):.*$/, '$1')),
      ['ENXIO', 'EISDIR'],
    )
  })

  it('hold a bounded number of lines that cannot be written yet', async () => {
    const line = 'x'.repeat(1000)
    for (let n = 0; n < 2000; n++) files.append(folder.path('a'), line)
    await files.flush()
    const kept = text('a').split('\n').length - 1
    assert.equal(kept, Math.floor((1 << 20) / 1000))
    assert.deepEqual(told, [
      `${folder.path('a')}: the disk does not keep up`,
      `${folder.path('a')} works, lost ${2000 - kept}`,
    ])
  })

  it('get a line of their own after a torn one', async () => {
    writeFileSync(folder.path('a'), '')
    const bytes = 40 * 1024
    // A limit on the size of files tears a line as a full disk does: the rest is refused.
    const script = `
      import { createLineFiles } from ${JSON.stringify(new URL('../../../src/control/monitor/line-files.js', import.meta.url).href)}
      import { systemClock } from ${JSON.stringify(new URL('../../../src/lib/clock.js', import.meta.url).href)}
      import { truncateSync } from 'node:fs'
      process.on('SIGXFSZ', () => undefined)
      const file = ${JSON.stringify(folder.path('a'))}
      const files = createLineFiles({ clock: systemClock, onTrouble: () => console.log('trouble'), onWorks: (_, lost) => console.log('works', lost) })
      files.append(file, 'a'.repeat(${bytes - 5}))
      files.append(file, 'b'.repeat(100))
      await files.flush()
      files.append(file, 'c')
      await files.flush()
      truncateSync(file, ${bytes - 100})
      files.append(file, 'd')
      await files.flush()
    `
    const limited = `ulimit -f ${bytes / 1024}; exec "$0" --input-type=module -e "$1"`
    // What coverage writes at its end is longer than the limit.
    const env = { ...process.env, NODE_V8_COVERAGE: '' }
    const out = execFileSync('bash', ['-c', limited, process.execPath, script], { encoding: 'utf8', env })
    assert.equal(out, 'trouble\nworks 2\n')
    assert.equal(text('a'), `${'a'.repeat(bytes - 100)}\nd\n`)
  })
})
