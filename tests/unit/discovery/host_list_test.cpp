// Tests Slurm's host lists: products, widths, separators, what is refused, and the way back.
#include "discovery/host_list.hpp"

#include <gtest/gtest.h>

namespace hawser::discovery {
namespace {

using names = std::vector<std::string>;

expanded_list expand(std::string_view list, std::size_t budget = max_listed_names) {
  return expand_hosts(list, budget);
}

TEST(host_list, names_ranges_and_products) {
  EXPECT_EQ(expand("").names, names{});
  EXPECT_EQ(expand("login").names, names{"login"});
  EXPECT_EQ(expand("a,b c\td,,e").names, (names{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(expand("n[1-3]").names, (names{"n1", "n2", "n3"}));
  EXPECT_EQ(expand("n[1-3,07-12]x[0-1],login").names,
            (names{"n1x0", "n1x1", "n2x0", "n2x1", "n3x0", "n3x1", "n07x0", "n07x1", "n08x0", "n08x1", "n09x0", "n09x1",
                   "n10x0", "n10x1", "n11x0", "n11x1", "n12x0", "n12x1", "login"}));
  EXPECT_EQ(expand("r[1-2]n[1-2]-ib").names, (names{"r1n1-ib", "r1n2-ib", "r2n1-ib", "r2n2-ib"}));
  EXPECT_EQ(expand("a[1-2][3-4]").names, (names{"a13", "a14", "a23", "a24"}));
  EXPECT_EQ(expand("[1101-1102]").names, (names{"1101", "1102"}));
  EXPECT_EQ(expand("n[2,2]").names, (names{"n2", "n2"}));
}

TEST(host_list, width_is_that_of_the_first_number) {
  EXPECT_EQ(expand("n[08-11]").names, (names{"n08", "n09", "n10", "n11"}));
  EXPECT_EQ(expand("n[8-11]").names, (names{"n8", "n9", "n10", "n11"}));
  EXPECT_EQ(expand("n[098-101]").names, (names{"n098", "n099", "n100", "n101"}));
  EXPECT_EQ(expand("n[0001]").names, names{"n0001"});
  EXPECT_EQ(expand("n[18446744073709551615]").names, names{"n18446744073709551615"});
}

TEST(host_list, lost_prefix_is_seen) {
  EXPECT_TRUE(expand("n[1-2],[3-4]").lost_prefix);
  EXPECT_TRUE(expand("n1,2").lost_prefix);
  EXPECT_FALSE(expand("[1-2],[3-4]").lost_prefix);
  EXPECT_FALSE(expand("n1,n2").lost_prefix);
}

TEST(host_list, refused) {
  for (const char* list : {"n[1-3", "n1-3]", "n[]", "n[a-b]", "n[3-1]", "n[1-2-3]", "n[-1]", "n[1-]", "n[0-8:2]",
                           "n[1,,2]", "n[1-[2-3]]", "n[18446744073709551616]", "ok,n]"}) {
    const expanded_list bad = expand(list);
    EXPECT_NE(bad.problem, "") << list;
    EXPECT_TRUE(bad.names.empty()) << list;
  }
  EXPECT_NE(expand("ok,n[3-1]").problem.find("\"n[3-1]\""), std::string::npos);
}

TEST(host_list, bombs_are_refused_before_they_take_memory) {
  for (const std::string& list : {std::string("n[0-999999999]"), std::string("n[0-18446744073709551615]"),
                                  std::string("a[0-9999]b[0-9999]c[0-9999]"), std::string("n[0-400000],m[0-400000]")})
    EXPECT_NE(expand(list).problem.find("more than 500000 names"), std::string::npos) << list;
  std::string twice_each;
  for (int bracket = 0; bracket < 200; ++bracket) twice_each += "[1-2]";
  EXPECT_NE(expand(twice_each).problem.find("more than 500000 names"), std::string::npos);
  const std::string long_name(300, 'x');
  EXPECT_NE(expand(long_name).problem.find("more than 255 characters"), std::string::npos);
  EXPECT_NE(expand(long_name + "[1-100000]").problem.find("more than 255 characters"), std::string::npos);
  EXPECT_NE(expand("n[" + std::string(300, '0') + "1-3]").problem, "");
  EXPECT_EQ(expand("n[1-500000]").names.size(), 500000u);
}

TEST(host_list, budget_is_shared_by_lists) {
  std::size_t budget = 5;
  EXPECT_EQ(expand_hosts("n[1-3]", budget).names.size(), 3u);
  EXPECT_EQ(budget, 2u);
  EXPECT_EQ(expand_hosts("a,b", budget).problem, "");
  EXPECT_NE(expand_hosts("c", budget).problem, "");
}

TEST(host_list, compact_is_the_inverse) {
  const auto compact = [](const names& list) { return compact_hosts(list); };
  EXPECT_EQ(compact({}), "");
  EXPECT_EQ(compact({"login"}), "login");
  EXPECT_EQ(compact({"n1"}), "n1");
  EXPECT_EQ(compact({"n1", "n2", "n3", "n5", "m1"}), "n[1-3,5],m1");
  EXPECT_EQ(compact({"n08", "n09", "n10", "n11"}), "n[08-11]");
  EXPECT_EQ(compact({"n9", "n10"}), "n[9-10]");
  EXPECT_EQ(compact({"n09", "n010"}), "n[09,010]");
  EXPECT_EQ(compact({"a", "b1", "b3", "a"}), "a,b[1,3],a");
  for (const char* list : {"n[1-3,5],m1", "n[08-11]", "n[9-10]", "a,b[1,3],a", "n[3,2,1]", "1101,x", "[1-4]"}) {
    const names expanded = expand(list).names;
    EXPECT_EQ(expand(compact(expanded)).names, expanded) << list;
  }
}

}  // namespace
}  // namespace hawser::discovery
