// Many transactions of one sender by ethers 6. See intents.mjs.

import { JsonRpcProvider, NonceManager, Wallet, version } from 'ethers'

import { carryOut } from './intents.mjs'

await carryOut(({ url, chainId, privateKey, gas, pollMs, receiptMs, hasOwnCounter, batchMax }) => {
  // Without these it would ask for the network first, and for a new block every 4 s.
  const options = { staticNetwork: true, polling: true, pollingInterval: pollMs, batchMaxCount: batchMax }
  const provider = new JsonRpcProvider(url, chainId, options)
  const wallet = new Wallet(privateKey, provider)
  const signer = hasOwnCounter ? wallet : new NonceManager(wallet)
  return {
    version: `ethers ${version}`,
    firstNonce: () => provider.getTransactionCount(wallet.address),
    send: (to, nonce) => signer.sendTransaction({ to, nonce, value: 1n, type: 0, gasPrice: 0n, gasLimit: gas }),
    isMined: async (sent) => (await sent.wait(1, receiptMs)).status === 1,
    forget: () => signer.reset?.(), // So the manager reads the count of transactions anew.
  }
})
