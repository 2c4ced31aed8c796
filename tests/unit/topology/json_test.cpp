// Tests JSON in and out: round trips, and that every broken document is refused with file, path and reason.
#include <hawser/topology/json.hpp>

#include <cstdio>
#include <ctime>

#include <hawser/topology/expand.hpp>
#include <hawser/topology/presets.hpp>
#include <hawser/topology/synthetic.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

class json : public testing::Test {
 protected:
  void SetUp() override {
    try {
      to_json(parse_synthetic("gpu:1"));
    } catch (const error& failure) {
      ASSERT_EQ(failure.code(), errc::unsupported);
      EXPECT_NE(std::string(failure.what()).find("built without nlohmann-json"), std::string::npos);
      GTEST_SKIP() << failure.what();
    }
  }
};

const std::string valid = R"({"schema": "hawser.hierarchy/1", "levels": [
  {"name": "rack", "units": 2, "bandwidth": 5e10, "latency": 5e-6, "provenance": "file", "reduces_in_network": false},
  {"name": "gpu", "units": [2, 1], "bandwidth": null, "latency": null, "provenance": "file", "reduces_in_network": true}
 ], "rank_at_position": [2, 0, 1], "host_level": "rack", "hosts": ["a", "b"]})";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST_F(json, reads_a_hierarchy) {
  const hosted_hierarchy read = hosted_hierarchy_from_json(valid);
  EXPECT_EQ(read.tree.size(), 3);
  EXPECT_DOUBLE_EQ(read.tree.at(0).up.rate.bytes_per_second, 50e9);
  EXPECT_EQ(read.tree.at(1).up, default_link("gpu"));
  EXPECT_TRUE(read.tree.at(1).reduces_in_network);
  EXPECT_EQ(read.tree.rank_at(0), rank(2));
  EXPECT_EQ(read.host_level, 0);
  EXPECT_EQ(read.hosts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(hosted_hierarchy_from_json(to_json(read)), read);
  EXPECT_EQ(std::get<hosted_hierarchy>(any_from_json(valid)), read);
  EXPECT_TRUE(hierarchy_from_json(replaced(valid, R"("rank_at_position": [2, 0, 1], )", "")).is_in_rank_order());
}

TEST_F(json, round_trips_random_hierarchies) {
  const unsigned seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const hierarchy tree = random_hierarchy(random, {.may_be_placed = true, .may_reduce = true});
    ASSERT_EQ(hierarchy_from_json(to_json(tree)), tree);
    const graph topology = expand(tree);
    if (round % 10 == 0) {
      ASSERT_EQ(graph_from_json(to_json(topology)), topology);
    }
  }
  for (const machine& each : machines) {
    const graph topology = preset_graph(each.name, 2);
    EXPECT_EQ(graph_from_json(to_json(topology)), topology);
  }
}

TEST_F(json, unknown_figures_are_null) {
  std::vector<level> levels = parse_synthetic("gpu:2").levels();
  levels[0].up.rate = {};
  EXPECT_NE(to_json(hierarchy(levels)).find("\"bandwidth\": null"), std::string::npos);
}

struct broken {
  std::string what, by, expected;
};

const std::vector<broken> broken_hierarchies{
    {"hierarchy/1", "hierarchy/2", "at schema (the schema is \"hawser.hierarchy/2\", not \"hawser.hierarchy/1\")"},
    {"hawser.hierarchy/1", "hawser.topology/1", "at schema"},
    {"\"schema\": \"hawser.hierarchy/1\",", "", "the key \"schema\" is missing"},
    {"\"schema\": \"hawser.hierarchy/1\"", "\"schema\": 1", "at schema (a string is expected)"},
    {"{\"schema\"", "{{\"schema\"", "line 1, column 2"},
    {"\"b\"]}", "\"b\"]", "parse error at line 4"},
    {"\"b\"]}", "\"b\"]} x", "parse error"},
    {"\"levels\"", "\"level\"", "unknown key \"level\""},
    {"\"name\": \"rack\",", "", "at levels[0] (the key \"name\" is missing)"},
    {"\"name\": \"rack\"", "\"name\": 3", "at levels[0].name (a string is expected)"},
    {"\"name\": \"rack\"", "\"name\": \"r k\"", "at levels[0].name (\"r k\" is not a level name)"},
    {"\"name\": \"rack\"", "\"name\": \"gpu\"", "at levels[1] (the level \"gpu\" occurs twice)"},
    {"\"units\": 2", "\"units\": 0", "at levels[0].units (a whole number from 1"},
    {"\"units\": 2", "\"units\": -2", "at levels[0].units (a whole number from 1"},
    {"\"units\": 2", "\"units\": 2.0", "at levels[0].units (a whole number from 1"},
    {"\"units\": 2", "\"units\": \"2\"", "at levels[0].units (a whole number from 1"},
    {"\"units\": 2", "\"units\": 18446744073709551615", "at levels[0].units (a whole number from 1"},
    {"\"units\": 2", "\"units\": 3", "at levels[1].units (the list has 2 entries, the level above has 3 units)"},
    {"[2, 1]", "[2, 0]", "at levels[1].units[1] (a whole number from 1"},
    {"[2, 1]", "[2, null]", "at levels[1].units[1] (a whole number from 1"},
    {"[2, 1]", "[2147483647, 2]", "at levels[1].units (more than 2^31 - 1 ranks)"},
    {"5e10", "0", "at levels[0].bandwidth (a number above 0"},
    {"5e10", "-5", "at levels[0].bandwidth (a number above 0"},
    {"5e10", "1e999", "number overflow"},
    {"5e10", "\"50GB/s\"", "at levels[0].bandwidth (a number above 0"},
    {"5e-6", "-1", "at levels[0].latency (a number from 0 on"},
    {"\"provenance\": \"file\"", "\"provenance\": \"guess\"", "unknown value \"guess\"); use one of assumed, reported"},
    {"false", "0", "at levels[0].reduces_in_network (true or false is expected)"},
    {"[2, 0, 1]", "[2, 0, 2]", "at rank_at_position (the placement is not a permutation (rank 2 occurs twice))"},
    {"[2, 0, 1]", "[2, 0]", "at rank_at_position (the placement names 2 ranks"},
    {"[2, 0, 1]", "[2, 0, -1]", "at rank_at_position[2] (a whole number"},
    {"[2, 0, 1]", "{}", "at rank_at_position (a list is expected)"},
    {"\"host_level\": \"rack\"", "\"host_level\": \"pod\"", "at host_level (there is no level \"pod\")"},
    {"\"host_level\": \"rack\",", "", "the key \"host_level\" is missing"},
    {"[\"a\", \"b\"]", "[\"a\"]", "at hosts (there are 1 host names"},
    {"[\"a\", \"b\"]", "[\"a\", \"\"]", "at hosts[1] (a host name cannot be empty)"},
    {"\"hosts\"", "\"host_level\"", "the key \"host_level\" occurs twice"},
};

TEST_F(json, refuses_broken_hierarchies) {
  for (const broken& each : broken_hierarchies) {
    SCOPED_TRACE(each.what + " -> " + each.by);
    const std::string text = replaced(valid, each.what, each.by);
    const error failure = error_of([&] { hosted_hierarchy_from_json(text, "racks.json"); });
    EXPECT_EQ(failure.code(), errc::parse);
    EXPECT_NE(std::string(failure.what()).find(each.expected), std::string::npos) << failure.what();
    EXPECT_EQ(std::string(failure.what()).find("cannot read \"racks.json\""), 0u) << failure.what();
  }
}

TEST_F(json, refuses_documents_that_are_too_large_or_too_deep) {
  const auto message = [](const std::string& text) {
    const error failure = error_of([&] { hierarchy_from_json(text); });
    EXPECT_EQ(failure.code(), errc::parse);
    return std::string(failure.what());
  };
  EXPECT_NE(message(std::string(max_json_bytes + 1, ' ')).find("larger than 32 MiB"), std::string::npos);
  EXPECT_NE(message(std::string(100000, '[')).find("nested more than 256"), std::string::npos);
  EXPECT_NE(message(std::string(256, '[') + std::string(256, ']')).find("an object is expected"), std::string::npos);
  EXPECT_NE(message("").find("unexpected end of input"), std::string::npos);
  EXPECT_NE(message("null").find("an object is expected"), std::string::npos);
}

double cpu_seconds_of_reading(std::size_t objects, const std::string& object) {
  std::string text = "[" + object;
  text.reserve(objects * (object.size() + 1) + 2);
  for (std::size_t each = 1; each < objects; ++each) text += "," + object;
  text += "]";
  const std::clock_t start = std::clock();
  EXPECT_NE(std::string(error_of([&] { any_from_json(text); }).what()).find("an object is expected"),
            std::string::npos);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST_F(json, many_small_objects_take_time_in_proportion) {
  for (const char* object : {"{}", R"({"a":{}})", "[]"}) {
    const double few = cpu_seconds_of_reading(50'000, object), many = cpu_seconds_of_reading(400'000, object);
    std::printf("%s: 50,000 in %.3f s, 400,000 in %.3f s\n", object, few, many);
    EXPECT_LT(many, 8 * 4 * few + 0.2);  // quadratic is 64 times
  }
}

TEST_F(json, more_values_than_the_budget_are_refused) {
  std::string text = R"({"schema": "hawser.hierarchy/1", "levels": [[])";
  for (int each = 0; each < 4'000'000; ++each) text += ",[]";
  const error failure = error_of([&] { any_from_json(text + "]}", "many.json"); });
  EXPECT_EQ(failure.code(), errc::parse);
  EXPECT_NE(std::string(failure.what()).find("more than 4000000 values"), std::string::npos) << failure.what();
}

TEST_F(json, either_schema_is_read_and_no_other) {
  const graph topology = expand(parse_synthetic("node:2 gpu:2"));
  EXPECT_EQ(std::get<graph>(any_from_json(to_json(topology))), topology);
  for (const char* text : {R"({"schema": "hawser.plan/1"})", "{}", "3", R"({"schema": 1})"})
    EXPECT_EQ(error_of([&] { any_from_json(text); }).code(), errc::parse) << text;
}

TEST_F(json, every_prefix_is_refused) {
  for (std::size_t size = 0; size < valid.size(); ++size)
    EXPECT_EQ(error_of([&] { hierarchy_from_json(valid.substr(0, size)); }).code(), errc::parse) << size;
}

TEST_F(json, refuses_broken_graphs) {
  const std::string whole = R"({"schema": "hawser.topology/1", "nodes": [
    {"kind": "host", "name": "n", "identities": ["host/n"], "attributes": {"os": "linux"}, "tier": 0, "can_reduce": false},
    {"kind": "gpu", "name": "g", "identities": ["gpu/g"], "attributes": {}, "tier": 0, "can_reduce": false}],
    "edges": [{"a": 0, "b": 1, "kind": "contains", "bandwidth": null, "latency": null, "provenance": "reported"}],
    "tells": ["gpus"], "findings": [{"severity": "warning", "code": "x-y", "subject": "n", "message": "no driver"}]})";
  EXPECT_EQ(graph_from_json(whole).findings().size(), 1u);
  for (const broken& each :
       std::vector<broken>{{"\"kind\": \"gpu\"", "\"kind\": \"tpu\"", "at nodes[1].kind (unknown value \"tpu\")"},
                           {"gpu/g", "host/n", "at nodes[1] (the topology has two nodes with the identity \"host/n\""},
                           {"\"linux\"", "7", "at nodes[0].attributes.os (a string is expected)"},
                           {"\"b\": 1", "\"b\": 2", "at edges[0] (an edge of the topology must join two of its nodes"},
                           {"\"b\": 1", "\"b\": 0", "at edges[0] (an edge"},
                           {"\"b\": 1", "\"b\": -1", "at edges[0].b (a whole number"},
                           {"\"tier\": 0", "\"tier\": 65", "at nodes[0].tier (a tier of at most 64"},
                           {"\"warning\"", "\"lost\"", "at findings[0].severity (unknown value"},
                           {"\"edges\"", "\"links\"", "unknown key \"links\""}}) {
    const error failure = error_of([&] { graph_from_json(replaced(whole, each.what, each.by)); });
    EXPECT_EQ(failure.code(), errc::parse);
    EXPECT_NE(std::string(failure.what()).find(each.expected), std::string::npos) << failure.what();
  }
}

TEST_F(json, refuses_to_write_names_that_are_not_utf8) {
  graph topology;
  topology.add_node({node_kind::host, "\xff\xfe", {}, {}});
  EXPECT_EQ(error_of([&] { to_json(topology); }).code(), errc::invalid_argument);
}

}  // namespace
}  // namespace hawser::topology
