import assert from 'node:assert/strict'
import { simpletcp } from '../../checks/simpletcp.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { verdictOf } from '../checks/probing.ts'
import { patternOf } from '../checks/web.ts'
import { needs } from './needs.ts'
import { type Nginx, nginxPrograms, startNginx } from './nginx.ts'
import { asking } from './proved.ts'

const ask = asking('nginx', 'nginx')

describe('simpletcp against a real nginx', function () {
  this.timeout(60_000)
  let server: Nginx | undefined
  before(async function () {
    needs(this, ...nginxPrograms)
    server = await startNginx()
  })
  after(() => server?.stop())

  interface Given {
    readonly receive?: string
    readonly address?: string
    readonly timeoutMs?: number
  }
  const probe = ({ receive, address = '127.0.0.1', timeoutMs = 5000 }: Given = {}) => {
    const request = makeRequest('GET /alive HTTP/1.0\\n\\n', false)
    const options = { request, receive: receive === undefined ? undefined : patternOf(receive) }
    return ask({ check: simpletcp, address, port: server?.httpPort ?? 0, options, timeoutMs })
  }

  const cases: readonly [title: string, given: Given, verdict: string][] = [
    ['any reply', {}, 'up'],
    ['a line of the reply', { receive: '^Still alive$' }, 'up'],
    ['the status line', { receive: '^HTTP/1.. 200 OK' }, 'up'],
    ['another text', { receive: 'Quite dead' }, 'down mismatch'],
    ['over IPv6', { address: '::1', receive: 'Still alive' }, 'up'],
  ]
  for (const [title, given, verdict] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
    })
  }

  it('down timeout, that is frozen: it accepts and says nothing', async () => {
    server?.freeze()
    try {
      const result = await probe({ timeoutMs: 400 })
      assert.equal(verdictOf(result), 'down timeout', result.detail)
      assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
    } finally {
      server?.thaw()
    }
  })

  it('is up, and when it is killed down refused', async () => {
    assert.equal(verdictOf(await probe()), 'up')
    await server?.kill()
    assert.equal(verdictOf(await probe()), 'down refused')
  })
})
