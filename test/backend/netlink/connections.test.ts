import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConnection } from '../../../src/backend/netlink/connection-line.ts'
import { readConnections } from '../../../src/backend/netlink/connections.ts'
import { never } from '../../table/fixtures.ts'

const head = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData'

describe('A line of the list of connections', () => {
  it('tells a connection', () => {
    assert.deepEqual(parseConnection('TCP 0A090001 DEC6 0A090001 0050 7F000001 1F90 ESTABLISHED     895'), {
      protocol: 'tcp',
      family: 4,
      client: { address: '10.9.0.1', port: 57030 },
      virtual: { address: '10.9.0.1', port: 80 },
      destination: { address: '127.0.0.1', port: 8080 },
      state: 'ESTABLISHED',
      expiresMs: 895_000,
      engine: undefined,
    })
  })
  it('tells a template of a mark of IPv6', () => {
    const line =
      'IP  fd00:0000:0000:0000:0000:0000:0000:0001 0000 0000:0007:0000:0000:0000:0000:0000:0000 0000 0000:0000:0000:0000:0000:0000:0000:0001 0000 NONE             94'
    assert.deepEqual(parseConnection(line), {
      protocol: 'ip',
      family: 6,
      client: { address: 'fd00::1', port: 0 },
      virtual: { address: '0:7::', port: 0 },
      destination: { address: '::1', port: 0 },
      state: 'NONE',
      expiresMs: 94_000,
      engine: undefined,
    })
  })
  it('tells an engine, and its data as the client sent it', () => {
    const line = 'UDP 0A090001 0000 0A090001 13C4 7F000001 13C5 NONE             55 sip abc@def and\x1b more'
    assert.deepEqual(parseConnection(line)?.engine, { name: 'sip', data: 'abc@def and\x1b more' })
    const bare = 'SCTP 0A090001 0000 0A090001 13C4 7F000001 13C5 NONE             55 sip'
    assert.deepEqual(parseConnection(bare)?.engine, { name: 'sip', data: '' })
  })
  for (const [what, line] of [
    ['the head', head],
    ['nothing', ''],
    ['another protocol', 'ESP 0A090001 0000 0A090001 13C4 7F000001 13C5 NONE 55'],
    ['an address that is cut', 'TCP 0A0900 DEC6 0A090001 0050 7F000001 1F90 ESTABLISHED 895'],
    ['an address that is none', 'TCP 0A09000G DEC6 0A090001 0050 7F000001 1F90 ESTABLISHED 895'],
    ['a port that is none', 'TCP 0A090001 DEC6 0A090001 0050 7F000001 -001 ESTABLISHED 895'],
    ['no time', 'TCP 0A090001 DEC6 0A090001 0050 7F000001 1F90 ESTABLISHED'],
    ['a time that is none', 'TCP 0A090001 DEC6 0A090001 0050 7F000001 1F90 ESTABLISHED 8x'],
  ] as const) {
    it(`tells nothing when it is ${what}`, () => assert.equal(parseConnection(line), undefined))
  }
})

describe('The list of connections', () => {
  let folder: string
  let file: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'conn-'))
    file = join(folder, 'ip_vs_conn')
    // 600 kB, so that it comes in pieces, and with none of them ending where a line ends.
    const lines = Array.from({ length: 9000 }, (_, index) => {
      const port = (index + 1).toString(16).toUpperCase().padStart(4, '0')
      return `TCP 0A090001 ${port} 0A090001 0050 7F000001 1F90 ESTABLISHED     895`
    })
    writeFileSync(file, `${[head, ...lines].join('\n')}\n`)
  })
  after(() => rmSync(folder, { recursive: true }))

  it('is read whole, in its order', async () => {
    const { connections, isCut } = await readConnections(file, { limit: 10_000 }, never)
    assert.deepEqual(
      connections.map(({ client }) => client.port),
      Array.from({ length: 9000 }, (_, index) => index + 1),
    )
    assert.equal(isCut, false)
  })
  it('is cut at the limit, and only then called so', async () => {
    const cut = await readConnections(file, { limit: 8999 }, never)
    assert.deepEqual([cut.connections.length, cut.isCut], [8999, true])
    const whole = await readConnections(file, { limit: 9000 }, never)
    assert.deepEqual([whole.connections.length, whole.isCut], [9000, false])
  })
  it('gives only what is wanted, and the limit counts those', async () => {
    const accepts = ({ client }: { client: { port: number } }): boolean => client.port % 1000 === 0
    const { connections, isCut } = await readConnections(file, { limit: 9, accepts }, never)
    assert.deepEqual([connections.length, connections[8]?.client.port, isCut], [9, 9000, false])
  })
  it('is given up when it is called off', async () => {
    const controller = new AbortController()
    const accepts = (): boolean => {
      controller.abort()
      return false
    }
    await assert.rejects(readConnections(file, { limit: 9, accepts }, controller.signal), {
      name: 'TableError',
      code: 'ECANCELED',
    })
  })
  it('says that there is no IPVS when there is no such file, and why another cannot be read', async () => {
    const missing = readConnections(join(folder, 'nonesuch'), { limit: 1 }, never)
    await assert.rejects(missing, { name: 'TableError', code: 'ENOENT', message: /modprobe ip_vs/ })
    await assert.rejects(readConnections(folder, { limit: 1 }, never), { name: 'TableError', code: 'EISDIR' })
  })
  it('takes a last line without its end, and no endless one', async () => {
    const odd = join(folder, 'odd')
    writeFileSync(odd, `${'x'.repeat(1_000_000)}\nTCP 0A090001 DEC6 0A090001 0050 7F000001 1F90 ESTABLISHED 895`)
    const { connections } = await readConnections(odd, { limit: 9 }, never)
    assert.deepEqual([connections.length, connections[0]?.expiresMs], [1, 895_000])
  })
})
