import { strict as assert } from 'node:assert'
import { tally } from './lab/answers.ts'
import { gateTopology, masqTopology, type Topology } from './lab/topology.ts'

async function balances(lab: Topology, forwarding: '-m' | '-g'): Promise<void> {
  const { director, client, reals, realAddresses, realAddresses6, vip, vip6 } = lab
  for (const [at, real] of reals.entries()) await real.tell('serve', { port: 80, says: `r${at + 1}` })
  await director.must('ipvsadm', '-A', '-t', `${vip}:80`, '-s', 'rr')
  for (const real of realAddresses) await director.must('ipvsadm', '-a', '-t', `${vip}:80`, '-r', real, forwarding)
  assert.deepEqual(tally(await client.tell('fetch', { url: `http://${vip}/`, times: 10 })), { r1: 5, r2: 5 })
  if (forwarding === '-g') return
  await director.must('ipvsadm', '-A', '-t', `[${vip6}]:80`, '-s', 'rr')
  for (const real of realAddresses6)
    await director.must('ipvsadm', '-a', '-t', `[${vip6}]:80`, '-r', `[${real}]:80`, '-m')
  assert.deepEqual(tally(await client.tell('fetch', { url: `http://[${vip6}]/`, times: 10 })), { r1: 5, r2: 5 })
}

describe('the lab itself', function () {
  this.timeout(60_000)
  let lab: Topology | undefined
  afterEach(async () => {
    await lab?.close()
    lab = undefined
  })

  it('balances by masquerading, over IPv4 and IPv6', async () => {
    lab = await masqTopology()
    await balances(lab, '-m')
  })

  it('balances by direct routing', async () => {
    lab = await gateTopology()
    await balances(lab, '-g')
  })
})
