import { regionStory } from "../suites/regionStory.ts";

regionStory({
  ...{ name: "test-regions", net: 174, port: 17310, agentRounds: 3 },
  database: { pooling: { poolSize: 8, pauseSeconds: 20 } },
});
