import assert from 'node:assert/strict'
import { type ChecksRun, wordChecks, wordTable } from './table.ts'

const effort = (probes: number, cpuSeconds: number) => ({ probes, cpuSeconds })

const costs = [
  {
    service: 'http',
    server: 'nginx 1.22.1',
    ours: [effort(300, 0.1), effort(200, 0.1), effort(123_456, 50)],
    perl: [effort(50, 0.05), effort(50, 0.025), effort(50, 0.04)],
  },
  { service: 'sip', server: 'Kamailio 5.6.3', ours: [effort(100, 0.02)] },
]

describe('the table of checks per CPU second', () => {
  it('has the median with the lowest and highest round, and the ratio of the medians', () => {
    const [, , http] = wordTable(costs).split('\n')
    assert.equal(http, '| `http` | nginx 1.22.1 | 2470 (2000–3000) | 1250 (1000–2000) | 2.0 × |')
  })

  it('has a dash where Perl ldirectord was not measured', () => {
    const [, , , sip] = wordTable(costs).split('\n')
    assert.equal(sip, '| `sip` | Kamailio 5.6.3 | 5000 (5000–5000) | – | – |')
  })

  it('stands in a section that says when, with what and under which load it was made', () => {
    const run: ChecksRun = {
      ...{ costs, rounds: 3, date: '2026-01-02', version: '1.2.3', perlVersion: '4.5', node: 'v20.19.0', cores: 2 },
      ...{ load: [0.25, 4.04], isQuiet: false },
    }
    const text = wordChecks(run)
    assert.ok(text.includes(wordTable(costs)))
    assert.match(text, /on 2026-01-02: ldirectord-ng 1\.2\.3, Node v20\.19\.0, Perl ldirectord 4\.5;\n2 cores/)
    assert.match(
      text,
      /load 0\.3 when it began and 4\.0 when it ended \(others used the machine\)\. Median of 3 rounds/,
    )
    assert.doesNotMatch(wordChecks({ ...run, isQuiet: true }), /others used the machine/)
  })
})
