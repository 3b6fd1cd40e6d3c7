import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { acquirePidFile, readPidFile } from '../../../src/control/process/pid-file.ts'
import { temporaryFolder } from '../../log/temporary.ts'

const nobody = (): boolean => false
const deadPid = 4_194_303

describe('pid file', () => {
  const folder = temporaryFolder()
  const file = (): string => folder.path('ldirectord.a.cf.pid')

  const contents: readonly [string, string, boolean, ReturnType<typeof readPidFile>['kind']][] = [
    ['a living director', '4711\n', true, 'running'],
    ['a pid without a line end', '4711', true, 'running'],
    ['a dead one', '4711\n', false, 'stale'],
    ['nothing', '', true, 'stale'],
    ['no number', 'x\n', true, 'stale'],
    ['pid 0, which would be our own group', '0\n', true, 'stale'],
    ['pid 1, which is init', '1\n', true, 'stale'],
    ['a negative number', '-4711\n', true, 'stale'],
    ['a number with words', '4711x\n', true, 'stale'],
  ]
  for (const [what, text, alive, kind] of contents) {
    it(`is ${kind} when it holds ${what}`, () => {
      writeFileSync(file(), text)
      assert.equal(readPidFile(file(), () => alive).kind, kind)
      assert.equal(readFileSync(file(), 'utf8'), text)
    })
  }

  it('is absent when it is not there', () => {
    assert.deepEqual(readPidFile(file()), { kind: 'absent' })
  })

  it('takes a process that only has ldirectord in its arguments for stale', () => {
    writeFileSync(file(), `${process.pid}\n`)
    assert.deepEqual(readPidFile(file()), { kind: 'stale' })
  })

  it('is written whole, and removed by its owner', async () => {
    const acquired = await acquirePidFile(file(), { isAlive: nobody, pid: 4711 })
    assert.ok(acquired.kind === 'held')
    assert.equal(readFileSync(file(), 'utf8'), '4711\n')
    assert.deepEqual(readdirSync(dirname(file())), ['ldirectord.a.cf.pid'])
    acquired.held.release()
    assert.equal(existsSync(file()), false)
    acquired.held.release()
  })

  it('is taken over when it is stale', async () => {
    writeFileSync(file(), '999\n')
    const acquired = await acquirePidFile(file(), { isAlive: nobody, pid: 4711 })
    assert.ok(acquired.kind === 'held')
    assert.equal(readFileSync(file(), 'utf8'), '4711\n')
  })

  it('is left to a daemon that runs', async () => {
    writeFileSync(file(), '999\n')
    const acquired = await acquirePidFile(file(), { isAlive: (pid) => pid === 999, pid: 4711 })
    assert.deepEqual(acquired, { kind: 'running', pid: 999 })
    assert.equal(readFileSync(file(), 'utf8'), '999\n')
    assert.deepEqual(readdirSync(dirname(file())), ['ldirectord.a.cf.pid'])
  })

  it('is ours when the number was ours before the machine was started anew', async () => {
    writeFileSync(file(), '4711\n')
    assert.equal((await acquirePidFile(file(), { isAlive: () => true, pid: 4711 })).kind, 'held')
  })

  it("is left alone at release when it has become another daemon's", async () => {
    const acquired = await acquirePidFile(file(), { isAlive: nobody, pid: 4711 })
    assert.ok(acquired.kind === 'held')
    writeFileSync(file(), '999\n')
    acquired.held.release()
    assert.equal(readFileSync(file(), 'utf8'), '999\n')
  })

  for (const before of ['', '999\n']) {
    it(`goes to exactly one of twenty that start at once ${before === '' ? 'on nothing' : 'on a stale one'}`, async () => {
      if (before !== '') writeFileSync(file(), before)
      const isAlive = (pid: number): boolean => pid >= 5000
      const pids = Array.from({ length: 20 }, (_, n) => 5000 + n)
      const results = await Promise.all(pids.map((pid) => acquirePidFile(file(), { isAlive, pid })))
      const winners = results.filter((result) => result.kind === 'held')
      assert.equal(winners.length, 1)
      const written = Number(readFileSync(file(), 'utf8'))
      assert.deepEqual(
        results.map((r) => (r.kind === 'held' ? written : r.pid)),
        pids.map(() => written),
      )
      assert.deepEqual(readdirSync(dirname(file())), ['ldirectord.a.cf.pid'])
    })
  }

  it('breaks the lock of a start that was killed', async () => {
    writeFileSync(`${file()}.lock`, `${deadPid}\n`)
    assert.equal((await acquirePidFile(file(), { isAlive: nobody, pid: 4711 })).kind, 'held')
    assert.deepEqual(readdirSync(dirname(file())), ['ldirectord.a.cf.pid'])
  })

  it('gives up on the lock of a start that lives and does not end', async () => {
    writeFileSync(`${file()}.lock`, `${process.pid}\n`)
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      setTimer: (_name: string, _ms: number, action: () => void) => {
        setImmediate(action)
        return { cancel: () => undefined }
      },
    }
    await assert.rejects(acquirePidFile(file(), { isAlive: nobody, pid: 4711, clock }), /held by another start/)
    assert.deepEqual(readdirSync(dirname(file())), ['ldirectord.a.cf.pid.lock'])
  })

  it('rejects when its directory is missing', async () => {
    await assert.rejects(acquirePidFile(folder.path('gone/x.pid'), { pid: 4711 }), { code: 'ENOENT' })
  })

  it('throws when it can not be read, for that is not the same as absent', () => {
    mkdirSync(file())
    assert.throws(() => readPidFile(file()), { code: 'EISDIR' })
  })
})
