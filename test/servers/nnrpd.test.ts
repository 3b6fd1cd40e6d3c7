import assert from 'node:assert/strict'
import { nntp } from '../../checks/nntp.ts'
import { verdictOf } from '../checks/probing.ts'
import { fetchNnrpd, type Nnrpd, startNnrpd } from './nnrpd.ts'
import { asking } from './proved.ts'

const ask = asking('INN nnrpd', 'inn2')

describe('nntp against a real nnrpd', function () {
  this.timeout(90_000)
  const servers: Nnrpd[] = []
  before(async function () {
    await fetchNnrpd(this)
    servers.push(await startNnrpd('127.0.0.1'))
  })
  after(async () => {
    for (const server of servers) await server.stop()
  })

  const probe = (port = servers[0]?.port ?? 0, more: { address?: string; timeoutMs?: number } = {}) =>
    ask({ check: nntp, port, timeoutMs: 5000, ...more })

  it('up: it greets with 200', async () => {
    const result = await probe()
    assert.equal(verdictOf(result), 'up', result.detail)
    assert.match(result.detail, /^greeted with 200 .*InterNetNews/)
  })

  it('is up over IPv6', async () => {
    const six = await startNnrpd('::1')
    servers.push(six)
    assert.equal(verdictOf(await probe(six.port, { address: '::1' })), 'up')
  })

  it('down protocol: it declines with 400', async () => {
    const declining = await startNnrpd('127.0.0.1', { overview: false })
    servers.push(declining)
    const result = await probe(declining.port)
    assert.equal(verdictOf(result), 'down protocol')
    assert.match(result.detail, /^the greeting is 400 /)
  })

  describe('that is frozen', () => {
    before(() => servers[0]?.freeze())
    after(() => servers[0]?.thaw())

    it('down timeout: it accepts and says nothing', async () => {
      const result = await probe(undefined, { timeoutMs: 400 })
      assert.equal(verdictOf(result), 'down timeout')
      assert.match(result.detail, /waiting for the greeting/)
      assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
    })
  })

  describe('that is thawed and killed', () => {
    it('is up, and then down refused', async () => {
      assert.equal(verdictOf(await probe()), 'up')
      await servers[0]?.kill()
      assert.equal(verdictOf(await probe()), 'down refused')
    })
  })
})
