export default {
  entry: { rabbit: "./src/rabbit.js", amqp: "./src/amqp.js" },
  output: { path: `${import.meta.dirname}/dist/webpack` },
  performance: { maxAssetSize: 300_000, maxEntrypointSize: 300_000 },
};
