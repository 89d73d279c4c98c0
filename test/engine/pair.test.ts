import { pairStory } from "../suites/pairStory.ts";

pairStory({ name: "test-pair", target: "containers", net: 92, port: 16432 });
