import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../../src/check/failure.ts'
import { lookUp } from '../../../src/check/http/lookup.ts'

/** A name server that knows one IPv4 address, or says nothing. */
async function startNameServer(address: readonly number[] | undefined): Promise<{ at: string; socket: Socket }> {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    if (address === undefined) return
    const question = query.subarray(12, query.indexOf(0, 12) + 5)
    const wantsV4 = question.readUInt16BE(question.length - 4) === 1
    const head = Buffer.from([0x81, 0x80, 0, 1, 0, wantsV4 ? 1 : 0, 0, 0, 0, 0])
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address])
    socket.send(
      Buffer.concat([query.subarray(0, 2), head, question, ...(wantsV4 ? [answer] : [])]),
      from.port,
      from.address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { at: `127.0.0.1:${socket.address().port}`, socket }
}

describe('looking a name up', () => {
  const { signal } = new AbortController()

  it('takes an address for itself', async () => {
    assert.equal(await lookUp('192.0.2.7', { family: 6, signal }), '192.0.2.7')
  })

  it('gives the address a name server has, of the other family if need be', async () => {
    const { at, socket } = await startNameServer([192, 0, 2, 9])
    try {
      assert.equal(await lookUp('www.example.test', { family: 4, signal, servers: [at] }), '192.0.2.9')
      assert.equal(await lookUp('www.example.test', { family: 6, signal, servers: [at] }), '192.0.2.9')
    } finally {
      socket.close()
    }
  })

  it('looks into the hosts file first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ldirectord-ng-hosts-'))
    const hostsFile = join(folder, 'hosts')
    writeFileSync(
      hostsFile,
      '# 192.0.2.1 web1\n192.0.2.2\tweb1 WEB2.example.test # web3\n2001:db8::2 web1\nnonsense web4\n',
    )
    try {
      const nobody = { signal, hostsFile, servers: ['127.0.0.1:1'] } as const
      assert.equal(await lookUp('web1', { ...nobody, family: 4 }), '192.0.2.2')
      assert.equal(await lookUp('Web1', { ...nobody, family: 6 }), '2001:db8::2')
      assert.equal(await lookUp('web2.example.test', { ...nobody, family: 6 }), '192.0.2.2')
      for (const name of ['web3', 'web4']) await assert.rejects(lookUp(name, { ...nobody, family: 4 }), Failure)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('fails where there is no such name server', async () => {
    const lookup = lookUp('www.example.test', { family: 4, signal, servers: ['127.0.0.1:1'] })
    await assert.rejects(lookup, (error: Error) => error instanceof Failure && /no address for www/.test(error.message))
  })

  it('is called off at once by its signal', async () => {
    const { at, socket } = await startNameServer(undefined)
    try {
      const stop = new AbortController()
      const reason = new Error('reload')
      const lookup = lookUp('www.example.test', { family: 4, signal: stop.signal, servers: [at] })
      const from = performance.now()
      setTimeout(() => stop.abort(reason), 30)
      await assert.rejects(lookup, reason)
      assert.ok(performance.now() - from < 500)
    } finally {
      socket.close()
    }
  })
})
