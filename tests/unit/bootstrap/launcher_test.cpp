// The environment of every launcher, and values that cannot be right.
#include <hawser/bootstrap/launcher.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hawser::bootstrap {
namespace {

using namespace std::chrono_literals;
using environment = std::map<std::string, std::string>;

launch read(const environment& variables) {
  return read_launch([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

/// Checks the code, and that the message contains a text.
void expect_error(const environment& variables, errc code, const std::string& text) {
  try {
    read(variables);
    ADD_FAILURE() << "accepted, expected: " << text;
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), code) << raised.what();
    EXPECT_NE(std::string(raised.what()).find(text), std::string::npos) << raised.what();
  }
}

void expect_ranks(const launch& got, const std::string& name, int rank, int size, std::optional<int> local) {
  EXPECT_EQ(got.launcher_name, name);
  EXPECT_EQ(got.rank, rank);
  EXPECT_EQ(got.size, size);
  EXPECT_EQ(got.local_rank, local);
}

TEST(launcher, started_alone) {
  const launch got = read({});
  EXPECT_FALSE(got.has_ranks());
  EXPECT_FALSE(got.has_store());
  EXPECT_EQ(got.launcher_name, "");
}

TEST(launcher, torchrun) {
  environment variables{
      {"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"MASTER_ADDR", "n01"}, {"MASTER_PORT", "29500"}};
  launch got = read(variables);
  expect_ranks(got, "torchrun", 5, 8, 1);
  EXPECT_EQ(got.master_address, "n01");
  EXPECT_EQ(got.master_port, 29500);
  EXPECT_TRUE(got.has_store());
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";  // the agent has the port itself
  EXPECT_EQ(read(variables).master_port, 29501);
}

TEST(launcher, mpi_and_pmix) {
  expect_ranks(read({{"OMPI_COMM_WORLD_RANK", "3"},
                     {"OMPI_COMM_WORLD_SIZE", "4"},
                     {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                     {"PMIX_RANK", "3"}}),
               "Open MPI", 3, 4, 1);
  expect_ranks(read({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}}), "Hydra", 0, 2, std::nullopt);
  expect_ranks(read({{"PMIX_RANK", "1"}, {"PMIX_SIZE", "2"}}), "PMIx", 1, 2, std::nullopt);
  EXPECT_FALSE(read({{"PMIX_RANK", "1"}}).has_ranks());  // its size is not in the environment
}

TEST(launcher, slurm) {
  environment variables{{"SLURM_PROCID", "9"},  {"SLURM_NTASKS", "16"},
                        {"SLURM_LOCALID", "1"}, {"SLURM_JOB_ID", "123456"},
                        {"SLURM_STEP_ID", "2"}, {"SLURM_STEP_NODELIST", "gpu[003-007,9],x1"}};
  const launch got = read(variables);
  expect_ranks(got, "Slurm", 9, 16, 1);
  EXPECT_EQ(got.master_address, "gpu003");
  EXPECT_EQ(got.master_port, 15000 + 3458);
  const auto host = [&](const std::string& list) {
    variables["SLURM_STEP_NODELIST"] = list;
    return read(variables).master_address;
  };
  EXPECT_EQ(host("node7"), "node7");
  EXPECT_EQ(host("node7,node8"), "node7");
  EXPECT_EQ(host("r[1,3]-ib.site,login"), "r1-ib.site");
  variables["SLURM_STEP_NODELIST"] = "gpu[003";
  expect_error(variables, errc::parse, "bracket");
  variables["MASTER_ADDR"] = "given";
  EXPECT_EQ(read(variables).master_address, "given");
}

TEST(launcher, torchrun_variables_come_first) {
  expect_ranks(read({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}}), "torchrun", 1,
               2, std::nullopt);
}

TEST(launcher, values_that_cannot_be_right) {
  expect_error({{"RANK", "x"}, {"WORLD_SIZE", "2"}}, errc::parse, "RANK=\"x\"");
  expect_error({{"RANK", "1x"}, {"WORLD_SIZE", "2"}}, errc::parse, "RANK");
  expect_error({{"RANK", "-1"}, {"WORLD_SIZE", "2"}}, errc::parse, "RANK");
  expect_error({{"RANK", "99999999999"}, {"WORLD_SIZE", "2"}}, errc::parse, "RANK");
  expect_error({{"RANK", "0"}, {"WORLD_SIZE", "0"}}, errc::parse, "WORLD_SIZE");
  expect_error({{"RANK", "2"}, {"WORLD_SIZE", "2"}}, errc::invalid_argument, "0 to 1");
  expect_error({{"RANK", "0"}}, errc::invalid_argument, "WORLD_SIZE");
  expect_error({{"WORLD_SIZE", "4"}}, errc::invalid_argument, "RANK");
  expect_error({{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"LOCAL_RANK", "3"}}, errc::invalid_argument, "LOCAL_RANK");
  expect_error({{"MASTER_PORT", "70000"}}, errc::parse, "MASTER_PORT");
  expect_error({{"MASTER_PORT", "http"}}, errc::parse, "MASTER_PORT");
  expect_error({{"HAWSER_STORE", "29500"}}, errc::parse, "host:port");
  expect_error({{"HAWSER_CHECKSUMS", "yes"}}, errc::parse, "HAWSER_CHECKSUMS");
  expect_error({{"HAWSER_TLS", "yes"}}, errc::parse, "HAWSER_TLS");
  expect_error({{"HAWSER_PEER_TIMEOUT", "soon"}}, errc::parse, "soon");
  expect_error({{"HAWSER_PEER_TIMEOUT", "0"}}, errc::parse, "HAWSER_PEER_TIMEOUT");
  expect_error({{"HAWSER_ALLOW_NO_SECRET", "yes"}}, errc::parse, "HAWSER_ALLOW_NO_SECRET");
}

TEST(launcher, settings) {
  const launch got = read({{"HAWSER_STORE", "[::1]:77"},
                           {"HAWSER_PEER_TIMEOUT", "1.5"},
                           {"HAWSER_TOPOLOGY", "rack:2 gpu:4"},
                           {"HAWSER_TUNING", "t.json"},
                           {"HAWSER_DECISIONS", "d.json"},
                           {"XDG_CACHE_HOME", "/x"},
                           {"HOME", "/h"}});
  EXPECT_TRUE(got.is_store_external);
  EXPECT_EQ(got.master_address, "::1");
  EXPECT_EQ(got.master_port, 77);
  EXPECT_EQ(got.peer_timeout, 1500ms);
  EXPECT_EQ(got.topology, "rack:2 gpu:4");
  EXPECT_EQ(got.tuning, "t.json");
  EXPECT_EQ(got.decisions, "d.json");
  EXPECT_EQ(got.cache_directory, "/x/hawser");
  EXPECT_EQ(read({{"HOME", "/h"}}).cache_directory, "/h/.cache/hawser");
  EXPECT_EQ(read({{"HAWSER_CACHE_DIR", "/c"}, {"HOME", "/h"}}).cache_directory, "/c");
  EXPECT_TRUE(read({{"HAWSER_CHECKSUMS", "1"}}).has_checksums);
  EXPECT_FALSE(read({{"HAWSER_CHECKSUMS", "0"}}).has_checksums);
  EXPECT_TRUE(read({{"HAWSER_TLS", "on"}}).has_tls);
  EXPECT_FALSE(read({{"HAWSER_TLS", "off"}}).has_tls || read({}).has_tls);
  EXPECT_EQ(read({{"HAWSER_FAULTS", "drop:0.1"}}).faults, "drop:0.1");
  EXPECT_EQ(read({{"HAWSER_PEER_TIMEOUT", "250ms"}}).peer_timeout, 250ms);
}

class secret_file {
 public:
  secret_file(const std::string& content, mode_t mode) {
    const int fd = ::mkstemp(path_.data());
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    ::fchmod(fd, mode);
    ::close(fd);
  }
  ~secret_file() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "hawser_secret_XXXXXX";
};

TEST(launcher, diagnosis) {
  const launch plain = read({});
  EXPECT_FALSE(plain.validate);
  EXPECT_EQ(plain.dump_signal, 0);
  EXPECT_EQ(plain.dump_directory + plain.trace_directory, "");
  const launch got = read({{"HAWSER_VALIDATE", "1"}, {"HAWSER_DUMP_DIR", "/d"}, {"HAWSER_TRACE", "/t"}});
  EXPECT_TRUE(got.validate);
  EXPECT_EQ(got.dump_directory, "/d");
  EXPECT_EQ(got.trace_directory, "/t");
  EXPECT_EQ(got.dump_signal, SIGUSR2);
  const auto signal_of = [](const std::string& text) {
    return read({{"HAWSER_DUMP_DIR", "/d"}, {"HAWSER_DUMP_SIGNAL", text}}).dump_signal;
  };
  EXPECT_EQ(signal_of("SIGUSR1"), SIGUSR1);
  EXPECT_EQ(signal_of("QUIT"), SIGQUIT);
  EXPECT_EQ(signal_of(std::to_string(SIGHUP)), SIGHUP);
  EXPECT_EQ(signal_of("none"), 0);
  expect_error({{"HAWSER_DUMP_DIR", "/d"}, {"HAWSER_DUMP_SIGNAL", "9"}}, errc::parse, "HAWSER_DUMP_SIGNAL");
  expect_error({{"HAWSER_DUMP_DIR", "/d"}, {"HAWSER_DUMP_SIGNAL", "SIGSOON"}}, errc::parse, "SIGSOON");
  expect_error({{"HAWSER_DUMP_SIGNAL", "SIGUSR1"}}, errc::invalid_argument, "HAWSER_DUMP_DIR");
  expect_error({{"HAWSER_VALIDATE", "true"}}, errc::parse, "HAWSER_VALIDATE");
}

TEST(launcher, secrets) {
  EXPECT_EQ(read({}).secret, "");
  EXPECT_EQ(read({{"HAWSER_SECRET", "s"}}).secret, "s");
  const secret_file own("from a file\n", 0600);
  EXPECT_EQ(read({{"HAWSER_SECRET_FILE", own.path()}}).secret, "from a file");
  expect_error({{"HAWSER_SECRET_FILE", own.path()}, {"HAWSER_SECRET", "s"}}, errc::invalid_argument, "both");
  const secret_file open_to_all("shared", 0644), open_to_group("shared", 0640), empty("\n", 0600);
  expect_error({{"HAWSER_SECRET_FILE", open_to_all.path()}}, errc::authentication, "chmod 600");
  expect_error({{"HAWSER_SECRET_FILE", open_to_group.path()}}, errc::authentication, "chmod 600");
  expect_error({{"HAWSER_SECRET_FILE", empty.path()}}, errc::invalid_argument, "empty");
  expect_error({{"HAWSER_SECRET_FILE", "/nonexistent/secret"}}, errc::io, "/nonexistent/secret");
  EXPECT_NE(make_secret(), make_secret());
  EXPECT_EQ(make_secret().size(), 32u);
}

TEST(launcher, joining_needs_the_variables) {
  launch incomplete;
  incomplete.rank = 0;
  incomplete.size = 1;
  try {
    join_store(incomplete);
    FAIL();
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), errc::invalid_argument);
    EXPECT_NE(std::string(raised.what()).find("MASTER_ADDR, MASTER_PORT"), std::string::npos) << raised.what();
  }
}

TEST(launcher, ranks_join_through_the_variables) {
  store_server reserved(store_server_options{});  // finds a free port
  const std::string port = std::to_string(reserved.port());
  reserved.close(0ms);
  constexpr int size = 3;
  std::vector<std::string> got(size);
  std::vector<std::thread> threads;
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      const auto self = join_store(read({{"RANK", std::to_string(r)},
                                         {"WORLD_SIZE", std::to_string(size)},
                                         {"MASTER_ADDR", "127.0.0.1"},
                                         {"MASTER_PORT", port}}),
                                   30s);
      if (r == 1) self->put("from", "rank 1");
      got[static_cast<std::size_t>(r)] = self->get("from", 30s);
      self->leave();
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(got, std::vector<std::string>(size, "rank 1"));
}

}  // namespace
}  // namespace hawser::bootstrap
