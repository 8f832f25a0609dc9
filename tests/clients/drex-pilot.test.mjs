// Scripts as a participant of the Drex pilot wrote them, against the sandbox: ethers 5, the published ABIs, addresses by
// the keys of AddressDiscovery, gas for nothing. What the kit never published comes from our own artifacts: the ABI of 1001,
// and the names of errors.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ethers } from 'ethers5'

import { readArtifact } from './ledger.mjs'
import { FreeGasWallet, WITHOUT_ABIS, joinPilot, publishedAbi, startSandbox } from './sandbox.mjs'

const LIMIT = { timeout: 60_000, skip: WITHOUT_ABIS }
const NOT_AUTHORIZED = 'RealDigitalDefaultAccount: Not authorized Account'
const [SENDER, RECEIVER] = [0, 1] // CallerPart: who delivers bonds, and who pays.
const CENTRAL_BANK_CNPJ8 = 38166
const TREASURY_CNPJ8 = 394460
const PRICE = 1_000_00000000 // R$ 1,000.00, eight decimals
const BONDS = 10_00 // ten bonds, two decimals
const VALUE = 10_000_00 // what they cost, in centavos

const NAMES = [
  'RealDigital', 'RealDigitalDefaultAccount', 'RealDigitalEnableAccount', 'STR', 'KeyDictionary', 'SwapOneStep',
  'SwapOneStepFrom', 'SwapToRetail', 'SwapTwoSteps', 'SwapTwoStepsReserve', 'TPFt', 'TPFtDvP', 'TPFtOperation1002',
  'TPFtOperation1012', 'TPFtOperation1052', 'TPFtOperation1054', 'TPFtOperation1056', 'TPFtRepaymentReserve',
]

if (WITHOUT_ABIS) console.error(`SKIPPED: the pilot's scripts: ${WITHOUT_ABIS}`)

describe("the Drex pilot's scripts", { skip: WITHOUT_ABIS }, () => {
  let sandbox, pilot, a, b, c, real, tpft, series, bondId
  let operation = 1_000_000

  const mined = async (sending) => (await sending).wait()
  const all = (sendings) => Promise.all(sendings.map(mined))
  const named = (receipt, event) => receipt.events.find((one) => one.event === event).args
  const newOperationId = () => `${++operation}20260901`
  const balance = async (token, account) => (await token.balanceOf(account.address ?? account)).toNumber()
  const tokenOf = async (one) => new ethers.Contract(one.token, await publishedAbi('RealTokenizado'), pilot.provider)

  /** Whether a call was refused with this error of the contract, and no other. */
  const refusedWith = async (contract, name) => {
    const { abi } = await readArtifact(contract)
    const errors = new ethers.utils.Interface(abi)
    const selector = errors.getSighash(errors.getError(name))
    return (error) => error.code === 'CALL_EXCEPTION' && error.data?.slice(0, 10) === selector
  }

  /** Runs an action and says by how much each balance changed. */
  const changes = async (watched, action) => {
    const read = () => Promise.all(watched.map(([token, account]) => balance(token, account)))
    const earlier = await read()
    await action()
    return (await read()).map((now, place) => now - earlier[place])
  }

  before(async () => {
    sandbox = await startSandbox()
    pilot = await joinPilot(sandbox.network)
    ;[a, b, c] = pilot.institutions
    real = await pilot.contract('RealDigital')
    const [bond] = sandbox.network.bonds
    series = [bond.acronym, bond.code, bond.maturityDate]
    tpft = await pilot.contract('TPFt', 'ITPFt')
    bondId = await tpft.getTPFtId(series)
  }, { timeout: 60_000 })

  after(async () => {
    pilot?.provider.removeAllListeners()
    await sandbox?.stop()
  })

  test('the network is the pilot\'s, and every published name is found', LIMIT, async () => {
    assert.equal((await pilot.provider.getNetwork()).chainId, 381660001)
    for (const name of NAMES) {
      assert.notEqual(await pilot.provider.getCode(await pilot.find(name)), '0x', name)
    }
    for (const one of pilot.institutions) {
      // As the pilot's contracts wrote it, and as its scripts do, from the number: 00000000 is 0.
      const isNumber = /^\d+$/.test(one.cnpjRoot)
      for (const root of isNumber ? [one.cnpjRoot, String(Number(one.cnpjRoot))] : [one.cnpjRoot]) {
        assert.equal(await pilot.find(`RealTokenizado@${root}`), one.token)
      }
    }
  })

  test('the central bank mints, and STR issues to a participant and takes back', LIMIT, async () => {
    const str = await pilot.contract('STR')
    const watched = [[real, a.bank], [real, b.bank]]
    assert.deepEqual(await changes(watched, () => all([
      real.connect(pilot.centralBank).mint(b.bank.address, 7_00),
      str.connect(a.bank).requestToMint(100_00),
    ])), [100_00, 7_00])
    assert.deepEqual(await changes(watched, () => mined(str.connect(a.bank).requestToBurn(30_00))), [-30_00, 0])
  })

  test('an institution pays another that it knows by its CNPJ', LIMIT, async () => {
    const accounts = await pilot.contract('RealDigitalDefaultAccount')
    const receiver = await accounts.defaultAccount(b.cnpj8)
    assert.equal(receiver, b.bank.address)
    const watched = [[real, a.bank], [real, receiver]]
    const transfer = () => mined(real.connect(a.bank).transfer(receiver, 12_34))
    assert.deepEqual(await changes(watched, transfer), [-12_34, 12_34])
  })

  test('an institution enables a customer, who is paid by another of its customers', LIMIT, async () => {
    const token = await tokenOf(a)
    const newcomer = new FreeGasWallet(ethers.utils.id('a new customer'), pilot.provider)
    await mined(token.connect(a.bank).enableAccount(newcomer.address))
    await mined(token.connect(a.bank).mint(newcomer.address, 50_00))
    const watched = [[token, newcomer], [token, a.customers[0]]]
    const transfer = () => mined(token.connect(newcomer).transfer(a.customers[0].address, 20_00))
    assert.deepEqual(await changes(watched, transfer), [-20_00, 20_00])
  })

  test('a wallet that is not enabled is refused by the contract\'s own error', LIMIT, async () => {
    const stranger = ethers.Wallet.createRandom().address
    const isNotEnabled = await refusedWith('RealDigital', 'CBDCAccountNotEnabled')
    await assert.rejects(real.connect(a.bank).callStatic.transfer(stranger, 1), isNotEnabled)
  })

  describe('swaps between customers of two banks', () => {
    let paying, paid, payer, receiver, watched
    const swapped = [-40_00, 40_00, -40_00, 40_00]

    before(async () => {
      ;[paying, paid] = [await tokenOf(a), await tokenOf(b)]
      ;[payer, receiver] = [a.customers[0], b.customers[0]]
      watched = [[paying, payer], [paid, receiver], [real, a.reserve], [real, b.reserve]]
    })

    test('in one step', LIMIT, async () => {
      const swap = await pilot.contract('SwapOneStep')
      await mined(paying.connect(payer).approve(swap.address, 40_00))
      const deltas = await changes(watched, async () => {
        const receipt = await mined(
          swap.connect(payer).executeSwap(a.token, b.token, receiver.address, 40_00),
        )
        const { senderNumber, receiverNumber, amount } = named(receipt, 'SwapExecuted')
        assert.deepEqual([senderNumber, receiverNumber, amount].map(String), [a.cnpj8, b.cnpj8, '4000'])
      })
      assert.deepEqual(deltas, swapped)
    })

    for (const name of ['SwapTwoSteps', 'SwapTwoStepsReserve']) {
      test(`in two steps, and taken back: ${name}`, LIMIT, async () => {
        const swap = await pilot.contract(name)
        const start = async () => {
          await mined(paying.connect(payer).approve(swap.address, 40_00))
          const started = await mined(swap.connect(payer).startSwap(a.token, b.token, receiver.address, 40_00))
          return named(started, 'SwapStarted').proposalId
        }
        const executed = await changes(watched, async () => mined(swap.connect(receiver).executeSwap(await start())))
        assert.deepEqual(executed, swapped)
        const cancelled = await changes(watched, async () => {
          const receipt = await mined(swap.connect(receiver).cancelSwap(await start(), 'changed my mind'))
          assert.equal(named(receipt, 'SwapCancelled').reason, 'changed my mind')
        })
        assert.deepEqual(cancelled, [0, 0, 0, 0])
      })
    }
  })

  test('payment keys are found, moved by their owner\'s word, and closed to strangers', LIMIT, async () => {
    const keys = await pilot.contract('KeyDictionary')
    const key = ethers.utils.id('ana@example.com')
    const [tax, number, account, branch] = [12345678901, 1, 777, 42]
    const [ana, elisa] = [a.customers[0].address, c.customers[0].address]
    await mined(keys.connect(a.bank).addAccount(key, tax, number, account, branch, ana, a.cnpj8))
    assert.equal(await keys.connect(b.bank).getWallet(key), ana)
    assert.equal(await keys.connect(b.bank).getKey(ana), key)
    const asked = await mined(
      keys.connect(c.bank).requestKey(key, tax, c.cnpj8, number, account, branch, elisa),
    )
    const { owner, proposalId } = named(asked, 'KeyRequested')
    assert.equal(owner, a.bank.address)
    await mined(keys.connect(a.bank).authorizeKey(proposalId, key))
    assert.equal(await keys.connect(b.bank).getWallet(key), elisa)
    // As the kit's own flow of checks does: the text is compared.
    await assert.rejects(keys.connect(a.customers[1]).getWallet(key), (error) => error.reason === NOT_AUTHORIZED)
  })

  describe('federal bonds', () => {
    const moved = [-BONDS, BONDS, -VALUE, VALUE]
    const sides = (seller, buyer) => [
      [{ balanceOf: (account) => tpft.balanceOf(account, bondId) }, seller],
      [{ balanceOf: (account) => tpft.balanceOf(account, bondId) }, buyer],
    ]

    /** A public offer: the central bank commands for the Treasury, the bank for itself. */
    const place = async (buyer, terms = series, amount = BONDS) => {
      const offer = await pilot.contract('TPFtOperation1002', 'ITPFtOperation1002')
      const id = newOperationId()
      const command = (wallet, part) =>
        offer.connect(wallet).auctionPlacement(id, TREASURY_CNPJ8, buyer.cnpj8, part, terms, amount, PRICE)
      await mined(command(pilot.centralBank, SENDER))
      await mined(command(buyer.bank, RECEIVER))
    }

    test('1002: a public offer is settled', LIMIT, async () => {
      const watched = [...sides(pilot.treasury, a.bank), [real, a.bank], [real, pilot.treasury]]
      assert.deepEqual(await changes(watched, () => place(a, series, 3 * BONDS)), [-30_00, 30_00, -30_000_00, 30_000_00])
    })

    test('1052: two banks trade by CNPJ, and a command is taken back', LIMIT, async () => {
      const trades = await pilot.contract('TPFtOperation1052', 'ITPFtOperation1052')
      const trade = 'trade(uint256,uint256,uint256,uint8,(string,string,uint256),uint256,uint256)'
      const command = (wallet, id, part) =>
        trades.connect(wallet)[trade](id, a.cnpj8, b.cnpj8, part, series, BONDS, PRICE)
      const watched = [...sides(a.bank, b.bank), [real, b.bank], [real, a.bank]]
      const deltas = await changes(watched, async () => {
        const id = newOperationId()
        const offered = await mined(command(a.bank, id, SENDER))
        assert.equal(named(offered, 'OperationEvent').status, 'LAN')
        const settled = named(await mined(command(b.bank, id, RECEIVER)), 'OperationEvent')
        assert.deepEqual([settled.status, settled.financialValue.toNumber()], ['ATU', VALUE])
      })
      assert.deepEqual(deltas, moved)
      const id = newOperationId()
      assert.equal(named(await mined(command(b.bank, id, RECEIVER)), 'OperationEvent').status, 'CON')
      const cancelled = await mined(trades.connect(b.bank).cancel(id, 'too dear'))
      assert.equal(named(cancelled, 'OperationCancelEvent').status, 'CAN')
    })

    test('1052: customers of two banks trade, paid by way of the reserves', LIMIT, async () => {
      const trades = await pilot.contract('TPFtOperation1052', 'ITPFtOperation1052')
      const trade = 'trade(uint256,address,address,address,address,uint8,(string,string,uint256),uint256,uint256)'
      const sell = async (from, fromToken, to, toToken) => {
        const id = newOperationId()
        const command = (wallet, part) =>
          trades.connect(wallet)[trade](id, from.address, fromToken, to.address, toToken, part, series, BONDS, PRICE)
        await mined(command(from, SENDER))
        return named(await mined(command(to, RECEIVER)), 'OperationClientTradeEvent')
      }
      const [ana, bruno] = [a.customers[0], b.customers[0]]
      await sell(a.bank, a.token, ana, a.token)
      const [paid, paying] = [await tokenOf(a), await tokenOf(b)]
      const watched = [...sides(ana, bruno), [paying, bruno], [paid, ana], [real, b.reserve], [real, a.reserve]]
      const deltas = await changes(watched, async () => {
        assert.equal((await sell(ana, a.token, bruno, b.token)).status, 'ATU')
      })
      assert.deepEqual(deltas, [...moved, -VALUE, VALUE])
    })

    test('1005: the central bank sells by auction', LIMIT, async () => {
      const trades = await pilot.contract('TPFtOperation1052', 'ITPFtOperation1052')
      const trade = 'trade(uint256,uint256,uint256,uint8,(string,string,uint256),uint256,uint256,string)'
      // What it sells it bought from a bank before, by an auction of purchase (1006).
      for (const [seller, buyer] of [[a, null], [null, b]]) {
        const id = newOperationId()
        const command = (wallet, part) => trades.connect(wallet)[trade](
          id, seller?.cnpj8 ?? CENTRAL_BANK_CNPJ8, buyer?.cnpj8 ?? CENTRAL_BANK_CNPJ8, part, series, BONDS, PRICE, '12/2026',
        )
        await mined(command(seller?.bank ?? pilot.centralBank, SENDER))
        const settled = await mined(command(buyer?.bank ?? pilot.centralBank, RECEIVER))
        assert.equal(named(settled, 'AuctionOperationEvent').status, 'ATU')
      }
    })

    test('1054 and 1056: bonds are sold for the day and come back', LIMIT, async () => {
      await place(a)
      const repos = await pilot.contract('TPFtOperation1054', 'ITPFtOperation1054')
      const returns = await pilot.contract('TPFtOperation1056', 'ITPFtOperation1056')
      const forward = 'tradeRepoIntraday(uint256,uint256,uint256,uint8,(string,string,uint256),uint256,uint256)'
      const [original, returned] = [newOperationId(), newOperationId()]
      const command = (wallet, part) =>
        repos.connect(wallet)[forward](original, a.cnpj8, b.cnpj8, part, series, BONDS, PRICE)
      const watched = [...sides(a.bank, b.bank), [real, b.bank], [real, a.bank]]
      const sold = await changes(watched, async () => {
        await mined(command(a.bank, SENDER))
        const event = named(await mined(command(b.bank, RECEIVER)), 'RepoOperationTradeForwardCNPJ8Event')
        assert.deepEqual([event.status, event.returnUnitPrice.toNumber()], ['ATU', PRICE])
      })
      assert.deepEqual(sold, moved)
      const back = await changes(watched, async () => {
        await mined(returns.connect(b.bank).tradeReverseRepo(original, returned))
        const receipt = await mined(returns.connect(a.bank).tradeReverseRepo(original, returned))
        assert.equal(named(receipt, 'ReverseRepoOperationTradeReturnCNPJ8Event').status, 'ATU')
      })
      assert.deepEqual(back, moved.map((delta) => -delta))
    })

    test('1054: a price of return is agreed now, and nobody returns before the day', LIMIT, async () => {
      const repos = await pilot.contract('TPFtOperation1054', 'ITPFtOperation1054')
      const returns = await pilot.contract('TPFtOperation1056', 'ITPFtOperation1056')
      const forward = 'tradeRepo(uint256,address,address,uint8,(string,string,uint256),uint256,uint256,uint256,uint256)'
      const { timestamp } = await pilot.provider.getBlock('latest')
      const original = newOperationId()
      const command = (wallet, part) => repos.connect(wallet)[forward](
        original, a.bank.address, b.bank.address, part, series, BONDS, PRICE, PRICE + 1_00000000, timestamp + 3 * 86_400,
      )
      await mined(command(b.bank, RECEIVER))
      const event = named(await mined(command(a.bank, SENDER)), 'RepoOperationTradeForwardEvent')
      assert.deepEqual([event.status, event.returnFinancialValue.toNumber()], ['ATU', 10_010_00])
      const isEarly = await refusedWith('TPFtOperation1056', 'TPFtOperation1056NotReturnDate')
      await assert.rejects(returns.connect(b.bank).callStatic.tradeReverseRepo(original, newOperationId()), isEarly)
    })

    test('1012: matured bonds are redeemed, each holder\'s by its own way', { ...LIMIT, timeout: 120_000 }, async () => {
      const { timestamp } = await pilot.provider.getBlock('latest')
      const maturing = ['LTN', '100000', timestamp + 15]
      const { abi } = await readArtifact('TPFtOperation1001') // The kit published none.
      const issue = new ethers.Contract(await pilot.find('TPFtOperation1001'), abi, pilot.centralBank)
      // One after the other, in one block.
      const gasLimit = 500_000
      await all([
        await issue.createTPFt(maturing),
        await issue.mint(newOperationId(), maturing, 100_00, { gasLimit }),
      ])
      await place(b, maturing)
      const trades = await pilot.contract('TPFtOperation1052', 'ITPFtOperation1052')
      const trade = 'trade(uint256,address,address,address,address,uint8,(string,string,uint256),uint256,uint256)'
      const bruno = b.customers[0]
      const id = newOperationId()
      const command = (wallet, part) => trades.connect(wallet)[trade](
        id, b.bank.address, b.token, bruno.address, b.token, part, maturing, 4_00, PRICE, { gasLimit },
      )
      // Both commands, whichever comes first.
      await all([command(b.bank, SENDER), command(bruno, RECEIVER)])
      const matured = async () => (await pilot.provider.getBlock('latest')).timestamp >= maturing[2]
      while (!(await matured())) await new Promise((resolve) => pilot.provider.once('block', resolve))

      const redemption = await pilot.contract('TPFtOperation1012', 'ITPFtOperation1012')
      const redeem = async (holder) =>
        mined(redemption.connect(pilot.treasury).repayment(holder.address, newOperationId(), maturing, PRICE))
      const bank = await changes([[real, b.bank]], async () => {
        assert.equal(named(await redeem(b.bank), 'OperationRepaymentParticipant').status, 'ATU')
      })
      assert.deepEqual(bank, [6_000_00])
      // Nobody knows whose customer Bruno is until his bank says so: the reserve keeps his money.
      const kept = named(await redeem(bruno), 'OperationRepaymentForContract')
      const reserve = await pilot.contract('TPFtRepaymentReserve', 'ITPFtRepaymentReserve')
      assert.equal(kept.contractAddress, reserve.address)
      assert.equal((await reserve.getBalance(bruno.address, kept.tpftId)).toNumber(), 4_000_00)
      const keys = await pilot.contract('KeyDictionary')
      const key = ethers.utils.id('bruno@example.com')
      await mined(keys.connect(b.bank).addAccount(key, 98765432100, 2, 1, 1, bruno.address, b.cnpj8))
      const watched = [[await tokenOf(b), bruno], [real, b.reserve]]
      const withdrawn = await changes(watched, () => mined(reserve.connect(bruno).withdraw(kept.tpftId)))
      assert.deepEqual(withdrawn, [4_000_00, 4_000_00])
    })
  })
})
