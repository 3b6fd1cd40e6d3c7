import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { skipBecause } from '../tools/skip.ts'
import { whyNoNamespace } from './namespace.ts'
import { needs } from './needs.ts'
import { nginxPrograms } from './nginx.ts'

describe('npm run bench -- checks', function () {
  this.timeout(60_000)

  it('measures what it is asked for, and leaves the page alone unless it measured all', async function () {
    needs(this, ...nginxPrograms, 'dnsmasq', 'tinyproxy', 'unshare', 'ip')
    const reason = whyNoNamespace()
    if (reason !== undefined) skipBecause(this, reason)
    const page = readFileSync('docs/benchmarks.md', 'utf8')
    const bench = spawn(process.execPath, ['dist/test/bench/main.js', 'checks', '--rounds', '1', '--only', 'http,dns'])
    let output = ''
    for (const stream of [bench.stdout, bench.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const [code] = await once(bench, 'close')
    assert.equal(code, 0, output)
    const rates = String.raw`\d+ \(\d+–\d+\)`
    for (const [service, server] of [
      ['dns', 'dnsmasq'],
      ['http', 'nginx'],
    ]) {
      const row = String.raw`^\| \`${service}\` \| ${server} [\d.]+ \| ${rates} \| (${rates}|–) \| ([\d.]+ ×|–) \|$`
      assert.match(output, new RegExp(row, 'm'), output)
    }
    assert.equal(readFileSync('docs/benchmarks.md', 'utf8'), page)
  })

  it('says which services it knows when it is asked for another', async function () {
    needs(this, 'unshare', 'ip')
    if (whyNoNamespace() !== undefined) skipBecause(this, String(whyNoNamespace()))
    const bench = spawn(process.execPath, ['dist/test/bench/main.js', 'checks', '--only', 'oracle'])
    let complaint = ''
    bench.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    const [code] = await once(bench, 'close')
    assert.equal(code, 1)
    assert.match(complaint, /^not measured: oracle; known: connect, dns,/)
  })
})
