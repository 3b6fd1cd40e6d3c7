import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { Order } from '../../../src/control/operator/order.ts'
import { createStateFile } from '../../../src/control/operator/state-file.ts'
import { readState, writeState } from '../../../src/control/operator/state-text.ts'
import { wordEvent } from '../../../src/log/wording.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'

const order: Order = {
  virtual: 'tcp:192.0.2.10:80',
  real: '192.0.2.20:80',
  action: 'drain',
  reason: 'new kernel',
  by: 'alice',
  since: 1_000_000,
  until: 1_900_000,
  drainedAt: undefined,
}
const other: Order = { ...order, real: '192.0.2.21:80', action: 'disable', until: undefined }

describe('the text of a state file', () => {
  it('gives back every field of every order', () => {
    const drained = { ...order, drainedAt: 1_500_000 }
    assert.deepEqual(readState(writeState([order, other, drained])), [order, other, drained])
  })

  const wrong = (parts: object): string => JSON.stringify({ version: 1, orders: [order, { ...order, ...parts }] })
  for (const [text, reason] of [
    ['', /^it is no JSON: /],
    ['{"version":1,"ord', /^it is no JSON: /],
    ['[]', /^it is no JSON object$/],
    ['null', /^it is no JSON object$/],
    ['{}', /^its version is nothing, not 1$/],
    ['{"version":2,"orders":[]}', /^its version is 2, not 1$/],
    ['{"version":1}', /^it has no list of orders$/],
    ['{"version":1,"orders":[7]}', /^order 1 is no object$/],
    [wrong({ action: 'delete' }), /^order 2 has action: "delete"$/],
    [wrong({ since: 'yesterday' }), /^order 2 has since: "yesterday"$/],
    [wrong({ until: 1e300 }), /^order 2 has until: 1e\+300$/],
    [wrong({ by: undefined }), /^order 2 has by: nothing$/],
    [wrong({ reason: 'x'.repeat(1001) }), /^order 2 has reason: "xxx/],
    [wrong({ real: null }), /^order 2 has real: null$/],
  ] as const) {
    it(`refuses ${text.slice(0, 40)}${text.length > 40 ? '…' : ''} with ${reason.source}`, () => {
      assert.throws(() => readState(text), { message: reason })
    })
  }
})

describe('the state file', () => {
  const folder = temporaryFolder()
  const path = (): string => folder.path('state/ldirectord.json')
  const open = () => {
    const clock = createVirtualClock()
    const told: string[] = []
    const file = createStateFile({
      path: path(),
      clock,
      tell: (event) => void told.push(...wordEvent(event, { pid: 1, version: '0' }).lines),
    })
    return { file, clock, told }
  }
  const reread = async (): Promise<readonly Order[]> => await open().file.load()

  it('is made with its folder, readable to its owner only, and has nothing beside it', async () => {
    const { file, told } = open()
    assert.deepEqual(await file.load(), [])
    assert.equal(await file.save([order]), true)
    assert.equal(statSync(path()).mode & 0o777, 0o600)
    assert.equal(statSync(folder.path('state')).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(folder.path('state')), ['ldirectord.json'])
    assert.deepEqual(await reread(), [order])
    assert.deepEqual(told, [])
  })

  it('is not made when there is nothing to keep, and is emptied when the last order is taken back', async () => {
    const { file } = open()
    await file.load()
    assert.equal(await file.save([]), true)
    assert.equal(existsSync(path()), false)
    await file.save([order])
    await file.save([])
    assert.deepEqual(await reread(), [])
  })

  it('has the last of many orders that come at once', async () => {
    const { file } = open()
    const saved = [file.load(), file.save([order]), file.save([]), file.save([order, other])]
    assert.deepEqual((await Promise.all(saved)).slice(1), [true, true, true])
    assert.deepEqual(await reread(), [order, other])
  })

  it('keeps its old content until the new one is whole on the disk', async () => {
    const { file } = open()
    await file.save([order])
    const inode = statSync(path()).ino
    await file.save([order, other])
    assert.notEqual(statSync(path()).ino, inode, 'a rename put another file there')
  })

  for (const [what, text] of [
    ['half a file', '{"version":1,"orders":[{"vir'],
    ['garbage', '\u0000\u0001\u0002'],
    ['a newer version', '{"version":9,"orders":[]}'],
  ] as const) {
    it(`keeps ${what} aside, tells it once, and goes on`, async () => {
      mkdirSync(folder.path('state'))
      writeFileSync(path(), text)
      const { file, told } = open()
      assert.deepEqual(await file.load(), [])
      assert.equal(told.length, 1)
      assert.match(told[0] ?? '', /^The state file .* cannot be used: it.* it is kept as .*\.broken; what/)
      assert.equal(readFileSync(`${path()}.broken`, 'utf8'), text)
      assert.equal(await file.save([other]), true)
      assert.deepEqual(await reread(), [other])
    })
  }

  it('does not read what is no regular file, or too large', async () => {
    mkdirSync(path(), { recursive: true })
    const first = open()
    assert.deepEqual(await first.file.load(), [])
    assert.match(first.told[0] ?? '', /cannot be used: it is not a regular file; it is kept as/)
    rmdirSync(`${path()}.broken`)
    writeFileSync(path(), Buffer.alloc((16 << 20) + 1, 32))
    const second = open()
    assert.deepEqual(await second.file.load(), [])
    assert.match(second.told[0] ?? '', /cannot be used: it is too large; /)
  })

  it('tells once that it cannot be written, tries again every half minute, and tells when it can', async () => {
    writeFileSync(folder.path('state'), 'a file where the folder should be')
    const { file, told, clock } = open()
    assert.equal(await file.save([order]), false)
    assert.equal(await file.save([order, other]), false)
    assert.equal(told.length, 1)
    assert.match(
      told[0] ?? '',
      /^The state file .* cannot be written: E.*; the operator's orders end with this process$/,
    )
    const { unlinkSync } = await import('node:fs')
    unlinkSync(folder.path('state'))
    await clock.advance(30_000)
    await file.stop()
    assert.deepEqual(told.slice(1), [`The state file ${path()} can be written again`])
    assert.deepEqual(await reread(), [order, other])
    assert.deepEqual(clock.openTimers(), [])
  })

  it('follows no symlink that stands where it writes', async () => {
    mkdirSync(folder.path('state'))
    writeFileSync(folder.path('victim'), 'precious')
    symlinkSync(folder.path('victim'), `${path()}.new`)
    const { file } = open()
    assert.equal(await file.save([order]), false)
    await file.stop()
    assert.equal(readFileSync(folder.path('victim'), 'utf8'), 'precious')
  })

  it('does not let a file that others may read stay so', async () => {
    mkdirSync(folder.path('state'))
    writeFileSync(`${path()}.new`, '')
    chmodSync(`${path()}.new`, 0o666)
    const { file } = open()
    assert.equal(await file.save([order]), true)
    assert.equal(statSync(path()).mode & 0o777, 0o600)
  })
})
